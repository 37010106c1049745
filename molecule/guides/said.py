"""Says something to the assistant, as somebody new, and prints what it answers: said.py MESSAGE."""

import sys

from ansible_collections.todochat.platform.plugins.module_utils.acceptance import Visitor, account

if __name__ == "__main__":
    visitor = Visitor("http://127.0.0.1:30000")
    with account(visitor):
        print(visitor.call("say it", "POST", "/api/chat", {"message": sys.argv[1]})["reply"])
