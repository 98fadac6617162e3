"""POST /v1/notes: what a colleague wrote down of a customer."""

from fastapi import APIRouter

from serving.ports import Current
from serving.problems import DOCUMENTED, TAKEN
from serving.said import say
from serving.said_schemas import NoteIn, NoteOut


def router(current: Current) -> APIRouter:
    routes = APIRouter(prefix="/v1/notes", tags=["notes"], responses=DOCUMENTED | TAKEN)

    @routes.post("", summary="Write a note")
    def write(note: NoteIn) -> NoteOut:
        """Keep a note of a customer, and who takes care of it until when. Repeated message ids count once."""
        body = note.model_dump(exclude={"message_id"}, exclude_none=True)
        accepted = say("note", body, message_id=note.message_id, ports=current())
        return NoteOut(note_id=note.message_id, accepted=accepted)

    return routes
