import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { Soon } from "@/lib/soon";

test("what is asked for often is done once in a while, and when it may be", (context) => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  context.after(() => mock.timers.reset());
  let done = 0;
  let may = true;
  const soon = new Soon(() => done++, () => may, 1000);
  const after = (ms: number) => (mock.timers.tick(ms), done);

  for (let asked = 0; asked < 3; asked++) soon.ask();
  assert.deepEqual([after(999), after(1)], [0, 1]); // it had just been done before it began
  assert.equal(after(5000), 1);
  soon.ask();
  assert.equal(after(0), 2);
  soon.ask();
  assert.deepEqual([after(999), after(1)], [2, 3]);

  may = false;
  soon.ask();
  assert.equal(after(5000), 3);
  may = true;
  assert.equal(after(1000), 4);
  soon.ask();
  soon.end();
  assert.equal(after(5000), 4);
});
