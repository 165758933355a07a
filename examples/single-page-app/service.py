"""Notes service: an API for signed-in users, in FastAPI. Access tokens are validated by `latchkey_client`.

Every route asks Latchkey whether the token is active (RFC 7662), so that a device that was signed out and a role that
was taken away count within a second.
"""

import os
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from latchkey_client import Claims, Introspection
from latchkey_client.fastapi import require
from notes import Note, Notes
from pages import mount_pages
from pydantic import BaseModel, StringConstraints

LATCHKEY_URL = os.environ["LATCHKEY_URL"]
introspection = Introspection(LATCHKEY_URL, os.environ["LATCHKEY_CLIENT_ID"], os.environ["LATCHKEY_CLIENT_SECRET"])
notes = Notes(os.environ["NOTES_DATABASE"])
app = FastAPI(title="Notes", openapi_url=None)

SignedIn = Annotated[Claims, Depends(require(introspection))]
Editor = Annotated[Claims, Depends(require(introspection, role="editor"))]


class NewNote(BaseModel):
    """Body of a request that adds a note."""

    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


@app.get("/api/notes")
def list_notes(_: SignedIn) -> list[Note]:
    """Return the notes of everybody, the newest first."""
    return notes.newest()


@app.post("/api/notes", status_code=201)
def add_note(note: NewNote, author: SignedIn) -> Note:
    """Add a note. The author is who the access token belongs to, whatever the body says."""
    return notes.add(note.text, author.email or author.subject)


@app.delete("/api/notes/{note_id}", status_code=204)
def delete_note(note_id: int, _: Editor) -> None:
    """Delete a note; for editors. The page hides the button from others, but the check is here."""
    if not notes.delete(note_id):
        raise HTTPException(404, "There is no such note.")


mount_pages(app, LATCHKEY_URL, os.environ["LATCHKEY_TYPESCRIPT_CLIENT"])
