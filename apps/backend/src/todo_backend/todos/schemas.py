"""What goes in and out of the todo endpoints."""

import uuid
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from todo_backend.text import one_line

Title = Annotated[str, AfterValidator(one_line), Field(min_length=1, max_length=200)]


class TodoCreate(BaseModel):
    """A new todo."""

    title: Title


class TodoChange(BaseModel):
    """What to change; what is left out stays."""

    title: Title | None = None
    completed: bool | None = None


class TodoView(BaseModel):
    """A todo as its owner sees it."""

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    title: str
    completed: bool
    created_at: datetime
    completed_at: datetime | None
