"""score.py FILE...: drive the assistant on fake tools (no database)."""
import sys, json, asyncio, re, uuid, datetime as D
sys.path.insert(0,'/work/next/apps/backend/src')
from zoneinfo import ZoneInfo
from dataclasses import replace
from todo_backend.chat.rules import RuleBasedAssistant
from todo_backend.todos.schemas import TodoView
NOW=D.datetime(2026,3,11,10,0,tzinfo=ZoneInfo("Europe/Berlin"))
LIST=[("buy milk",None,None,0),("call mum","2026-03-11",None,0),("pay rent","2026-03-31","high",0),("Zahnarzt anrufen","2026-03-12",None,0),("book flight to Lisbon","2026-03-20",None,0),("finish tax return","2026-03-09","high",0),("water the plants",None,"low",1),("Geschenk für Oma kaufen","2026-03-14",None,0),("read Dune",None,None,0),("call the plumber","2026-03-13T09:00",None,0),("Müll rausbringen",None,None,1),("renew passport",None,"medium",0)]
class Tools:
    def __init__(self):
        self.now=NOW; self.actions=[]; self.confirmation=None
        self.t=[TodoView(id=uuid.UUID(int=n),number=n,version=1,title=t,notes="",completed=bool(d),due=due,due_time_zone=None,priority=p,created_at=NOW,completed_at=NOW if d else None) for n,(t,due,p,d) in enumerate(LIST,1)]
        self.added=[]; self.changed={}; self.deleted=[]
    async def list_todos(self,q=None): return list(self.t)
    async def add_todo(self,w):
        v=TodoView(id=uuid.uuid4(),number=len(self.t)+1,version=1,title=w.title,notes="",completed=False,due=str(w.due) if w.due else None,due_time_zone=None,priority=w.priority or None,created_at=NOW,completed_at=None)
        self.t.append(v); self.added.append(v); return v
    async def change_todo(self,todo,w):
        u={}
        if w.title is not None: u["title"]=w.title
        if w.completed is not None: u["completed"]=w.completed
        if w.due: u["due"]=None if w.due=="never" else str(w.due)
        if w.priority: u["priority"]=None if w.priority=="none" else w.priority
        self.changed.setdefault(todo.number,{}).update(u)
        return todo.model_copy(update=u)
    async def delete_todo(self,todo): self.deleted.append(todo.number); return todo
    async def ask_to_delete(self,todos): self.confirmation=todos
def lst(x): return x if isinstance(x,list) else [x]
async def run(case):
    t=Tools(); reply=await RuleBasedAssistant().answer(case["say"],[],t)
    e=case["expect"]; shown=[int(n) for n in re.findall(r"^(\d+)\. ",reply,re.M)]
    acted=bool(t.added or t.changed or t.deleted)
    ok=True; harm=False
    adds=e.get("add",[])
    if len(adds)!=len(t.added):
        ok=False; harm=len(t.added)>0
    else:
        for a,got in zip(adds,t.added):
            titles=[x.casefold() for x in lst(a["title"])]
            if got.title.casefold() not in titles: ok=False
            if (got.due not in lst(a["due"]) if "due" in a and a["due"] is not None else got.due is not None): ok=False; harm=True
            if got.priority!=a.get("priority"): ok=False; harm=True
    want={}
    for n in e.get("complete",[]): want.setdefault(n,{})["completed"]=[True]
    for n in e.get("reopen",[]): want.setdefault(n,{})["completed"]=[False]
    for u in e.get("update",[]):
        for k,v in u.items():
            if k!="no": want.setdefault(u["no"],{})[k]=[x.casefold() if k=="title" and x else x for x in lst(v)]
    if set(want)!=set(t.changed): ok=False
    else:
        for n,w in want.items():
            g=t.changed[n]
            if set(g)!=set(w) or any((g[k].casefold() if k=="title" else g[k]) not in w[k] for k in w): ok=False
    if sorted(t.deleted)!=sorted(e.get("delete",[])): ok=False
    stray=[n for n in t.changed if n not in want or any(k not in want[n] or (t.changed[n][k].casefold() if k=="title" and t.changed[n][k] else t.changed[n][k]) not in want[n][k] for k in t.changed[n])]
    wrong = harm or bool(stray) or bool(set(t.deleted)-set(e.get("delete",[])))
    if "show" in e or "show_any_of" in e:
        sets=[sorted(x) for x in e.get("show_any_of",[])]+([sorted(e["show"])] if "show" in e else [])
        if sorted(shown) not in sets: ok=False
    if e.get("talk") and reply.startswith(("Sorry, I did not","Das habe ich leider nicht")): ok=False
    if e.get("ask") and acted: ok=False
    return ok,wrong,reply,t
async def main():
    half=sys.argv[1]; show=half in ("dev","all")
    for f in sys.argv[2:]:
        rows=[json.loads(l) for l in open(f) if l.strip()]
        rows=[r for n,r in enumerate(rows) if half=="all" or (n%2==0)==(half=="dev")]
        right=wrongs=0; kinds={}
        for r in rows:
            try: ok,wrong,reply,t=await run(r)
            except Exception as x: ok,wrong,reply,t=False,False,repr(x),None
            right+=ok; wrongs+=wrong
            k=",".join(r["expect"]); kinds.setdefault(k,[0,0,0,0]); kinds[k][0]+=ok; kinds[k][1]+=1; kinds[k][2]+=wrong; kinds[k][3]+=(not ok and t is not None and not (t.added or t.changed or t.deleted))
            if show and (not ok):
                print(("WRONG " if wrong else "miss  ")+r["say"],"|",json.dumps(r["expect"],ensure_ascii=False),"|",reply.replace("\n"," / ")[:160])
        print(kinds)
        print(f, half, f"{right}/{len(rows)} right, {wrongs} wrong changes")
asyncio.run(main())
