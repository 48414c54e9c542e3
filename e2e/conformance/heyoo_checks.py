"""heyoo, unmodified, against a running Kabar. It raises nothing: its answers are the Graph API's own JSON."""

import os

from checks import check, closed, company, directory, equal, includes, person, run, site, true
from heyoo import WhatsApp

IMAGE = b"\x89PNG\r\n\x1a\n" + bytes(64)

wa = WhatsApp(company.token, phone_number_id=company.phone_id)
# Its address is a plain attribute.
wa.base_url = f"{company.url}/v14.0"
wa.v15_base_url = f"{company.url}/v15.0"
wa.url = f"{wa.base_url}/{company.phone_id}/messages"


def accepted(answer):
    """The id of a message that was taken."""
    true("messages" in answer, answer)
    return answer["messages"][0]["id"]


def refused(answer):
    """Code and details of a message that was not."""
    true("error" in answer, answer)
    return answer["error"]["code"], answer["error"]["error_data"]["details"]


@check("text, and a reply to it")
def text():
    sent = accepted(wa.send_message("Halo dari heyoo", person.digits))
    shown = person.sees("Halo dari heyoo")
    accepted(wa.reply_to_message(sent, person.digits, "Sekali lagi"))
    equal(person.sees("Sekali lagi")["in_reply_to"], shown["message_id"])


@check("reply buttons")
def buttons():
    reply = {"type": "reply", "reply": {"id": "b1", "title": "Setuju"}}
    accepted(wa.send_reply_button({"type": "button", "body": {"text": "Setuju, ya?"}, "action": {"buttons": [reply]}}, person.digits))
    shown = person.sees("Setuju, ya?")
    equal(shown["buttons"], [{"id": "b1", "title": "Setuju"}])


@check("a list, with header, footer and a row without description")
def rows():
    sections = [{"title": "Kota", "rows": [{"id": "k1", "title": "Bogor", "description": ""}]}]
    button = {"header": "Kota", "body": "Dari kota mana?", "footer": "Pilih satu", "action": {"button": "Buka", "sections": sections}}
    accepted(wa.send_button(button, person.digits))
    shown = person.sees("Dari kota mana?")
    equal((shown["header"], shown["footer"]), ("Kota", "Pilih satu"))
    equal(shown["rows"], [{"id": "k1", "title": "Bogor", "section": "Kota"}])


@check("media: uploaded, found, downloaded, deleted")
def media():
    path = os.path.join(directory, "heyoo.png")
    with open(path, "wb") as file:
        file.write(IMAGE)
    uploaded = wa.upload_media(path)
    true(uploaded and uploaded["id"], uploaded)
    url = wa.query_media_url(uploaded["id"])
    saved = wa.download_media(url, "image/png", os.path.join(directory, "heyoo-again"))
    with open(saved, "rb") as file:
        equal(file.read(), IMAGE)
    equal(wa.delete_media(uploaded["id"]), {"success": True})
    equal(wa.query_media_url(uploaded["id"]), None)


@check("files by link and by id reach the person")
def files():
    accepted(wa.send_image(f"{site}/poster.png", person.digits, caption="Poster heyoo"))
    equal(person.sees("Poster heyoo")["file"]["mime_type"], "image/png")
    path = os.path.join(directory, "tiket-heyoo.pdf")
    with open(path, "wb") as file:
        file.write(b"%PDF-1.4 heyoo")
    accepted(wa.send_document(wa.upload_media(path)["id"], person.digits, caption="Tiket heyoo", link=False))
    shown = person.sees("Tiket heyoo")
    with open(shown["file"]["path"], "rb") as file:
        equal(file.read(), b"%PDF-1.4 heyoo")
    accepted(wa.send_video(f"{site}/film.mp4", person.digits))
    accepted(wa.send_audio(f"{site}/lagu.mp3", person.digits))
    code, details = refused(wa.send_image(f"{site}/hilang.png", person.digits))
    equal(code, 131052)
    includes("404", details)


@check("mark as read, by another version of the API")
def mark_as_read():
    equal(wa.mark_as_read("wamid.x"), {"success": True})


@check("an unknown template is 132001, and named")
def unknown_template():
    code, details = refused(wa.send_template("tidak_ada", person.digits, []))
    equal(code, 132001)
    includes("tidak_ada", details)


@check("a closed window is 131047")
def closed_window():
    code, details = refused(wa.send_message("Halo", closed))
    equal(code, 131047)
    includes("24 hours", details)


@check("not yet: locations and reactions are 131051, and named")
def not_yet():
    for kind, answer in (
        ("location", wa.send_location(-6.2, 106.8, "Bioskop", "Jakarta", person.digits)),
        ("reaction", wa.send_reaction("👍", "wamid.x", person.digits)),
    ):
        code, details = refused(answer)
        equal(code, 131051, kind)
        includes(kind, details)


run()
