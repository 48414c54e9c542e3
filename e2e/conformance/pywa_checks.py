"""pywa, unmodified, against a running Kabar: what the SDK sends reaches the person, and what the person does reaches its handlers."""

import base64
import hashlib
import json
import os

import httpx
from checks import check, closed, company, directory, equal, includes, person, refuses, run, site, true
from pywa import WhatsApp, errors, types
from pywa.types import Button, FlowActionType, FlowButton, FlowCategory, Section, SectionList, SectionRow, URLButton
from pywa.types.others import Industry
from pywa.types.templates import BodyText, Template, TemplateCategory, TemplateLanguage
from webhooks import VERIFY_TOKEN, Webhooks

IMAGE = b"\x89PNG\r\n\x1a\n" + bytes(64)
TEMPLATE = "pywa_kursi"


class ToKabar(httpx.HTTPTransport):
    """pywa knows the Graph API's host only; its `session` may say where that is."""

    def handle_request(self, request):
        if request.url.host == "graph.facebook.com":
            kabar = httpx.URL(company.url)
            request.url = request.url.copy_with(scheme=kabar.scheme, host=kabar.host, port=kabar.port)
            request.headers["host"] = f"{kabar.host}:{kabar.port}"
        return super().handle_request(request)


def client(token):
    return WhatsApp(
        phone_id=company.phone_id,
        token=token,
        session=httpx.Client(transport=ToKabar()),
        waba_id=company.waba_id,
        app_id=company.app_id,
        app_secret=company.app_secret,
        verify_token=VERIFY_TOKEN,
    )


wa = client(company.token)
webhooks = Webhooks(wa)


def status(sent, kind):
    """The status webhook of a message that was sent."""
    fits = lambda update: update.id == sent.id and update.status == kind
    return webhooks.first(types.MessageStatus, fits, f"status {kind} of {sent.id}")


@check("the app token sets the callback URL, once the challenge is answered")
def callback_url():
    app_token = f"{company.app_id}|{company.app_secret}"
    done = wa.set_app_callback_url(company.app_id, app_token, webhooks.url, VERIFY_TOKEN, ["messages"])
    true(done.success)


@check("a callback URL that knows another verify token is refused with 2200")
def callback_url_refused():
    app_token = f"{company.app_id}|{company.app_secret}"
    with refuses(errors.WhatsAppError) as caught:
        wa.set_app_callback_url(company.app_id, app_token, webhooks.url, "lain", ["messages"])
    equal(caught.exception.code, 2200)
    [complaint] = webhooks.complaints.lines
    includes("verification challenge", complaint)
    webhooks.complaints.lines.clear()


@check("a text reaches the person; sent, delivered and read come back with its tracker and price")
def text_with_tracker():
    sent = wa.send_message(person.digits, "Halo dari pywa", tracker="pesanan-7")
    true(sent.id.startswith("wamid."))
    equal(sent.input, person.digits)
    shown = person.sees("Halo dari pywa")
    equal((shown["kind"], shown["automated"], shown["from"]["name"]), ("text", True, company.name))
    person.reads(shown)
    for kind in (types.MessageStatusType.SENT, types.MessageStatusType.DELIVERED, types.MessageStatusType.READ):
        update = status(sent, kind)
        equal(update.tracker, "pesanan-7")
        true(update.from_user.bsuid.startswith("ID."))
        equal((update.pricing.billable, update.pricing.category.value), (False, "service"))
        true(update.conversation.id)
    true(status(sent, types.MessageStatusType.SENT).conversation.expiration)
    equal(status(sent, types.MessageStatusType.READ).from_user.wa_id, person.digits)


@check("a text of the person is a Message; marked read and typing, the person learns it")
def inbound_text():
    written = person.says(company.phone, "Ada film apa?")
    message = webhooks.first(types.Message, lambda update: update.text == "Ada film apa?", "the person's text")
    equal(message.type, types.MessageType.TEXT)
    equal((message.from_user.name, message.from_user.wa_id), ("Rani", person.digits))
    true(message.from_user.bsuid.startswith("ID."))
    equal(message.metadata.phone_number_id, company.phone_id)
    true(wa.mark_message_as_read(message.id).success)
    person.sees_read(written["message_id"])
    true(wa.indicate_typing(message.id).success)
    sent = message.reply("Ada tiga.", quote=True)
    shown = person.sees("Ada tiga.")
    equal(shown["in_reply_to"], written["message_id"])
    true(sent.id)


@check("buttons with header and footer; the tap is a CallbackButton")
def buttons():
    choices = [Button("Ya", callback_data="ya"), Button("Tidak", callback_data="tidak")]
    sent = wa.send_message(person.digits, "Jadi nonton?", header="Bioskop", footer="Sampai Jumat", buttons=choices)
    shown = person.sees("Jadi nonton?")
    equal((shown["header"], shown["footer"]), ("Bioskop", "Sampai Jumat"))
    equal(shown["buttons"], [{"id": "ya", "title": "Ya"}, {"id": "tidak", "title": "Tidak"}])
    person.taps(shown, "tidak")
    tapped = webhooks.first(types.CallbackButton, lambda update: update.data == "tidak", "the tap")
    equal(tapped.title, "Tidak")
    equal(tapped.reply_to_message.message_id, sent.id)


@check("a list; the pick is a CallbackSelection")
def section_list():
    rows = [SectionRow("Laskar", callback_data="f1"), SectionRow("Pelangi", callback_data="f2", description="19.00")]
    films = SectionList("Buka", sections=[Section("Malam ini", rows=rows)])
    sent = wa.send_message(person.digits, "Pilih film", buttons=films)
    shown = person.sees("Pilih film")
    equal(shown["rows"][1], {"id": "f2", "title": "Pelangi", "description": "19.00", "section": "Malam ini"})
    person.picks(shown, "f2")
    picked = webhooks.first(types.CallbackSelection, lambda update: update.data == "f2", "the pick")
    equal((picked.title, picked.description), ("Pelangi", "19.00"))
    equal(picked.reply_to_message.message_id, sent.id)


@check("a URL button")
def url_button():
    wa.send_message(person.digits, "Lihat jadwal", buttons=URLButton(title="Buka", url="https://bioskop.example/jadwal"))
    shown = person.sees("Lihat jadwal")
    equal(shown["links"], [{"title": "Buka", "url": "https://bioskop.example/jadwal"}])


@check("media: uploaded, described, downloaded, deleted")
def media():
    uploaded = wa.upload_media(IMAGE, mime_type="image/png", filename="kursi.png")
    true(str(uploaded.id).isdigit())
    url = wa.get_media_url(uploaded.id)
    equal((url.mime_type, url.file_size, url.sha256), ("image/png", len(IMAGE), hashlib.sha256(IMAGE).hexdigest()))
    equal(wa.get_media_bytes(url.url), IMAGE)
    true(wa.delete_media(uploaded.id).success)
    with refuses(errors.WhatsAppError) as caught:
        wa.get_media_url(uploaded.id)
    equal((caught.exception.code, caught.exception.subcode), (100, 33))


def kept(shown):
    """The bytes of a file as the person has them."""
    with open(shown["file"]["path"], "rb") as file:
        return file.read()


@check("an image by media id and a document by link reach the person")
def files():
    uploaded = wa.upload_media(IMAGE, mime_type="image/png", filename="poster.png").id
    wa.send_image(person.digits, str(uploaded), caption="Poster pywa")
    shown = person.sees("Poster pywa")
    equal((shown["kind"], shown["file"]["mime_type"], kept(shown)), ("file", "image/png", IMAGE))
    sent = wa.send_document(person.digits, f"{site}/tiket.pdf", filename="tiket pywa.pdf", caption="Tiket pywa")
    shown = person.sees("Tiket pywa")
    equal((shown["file"]["name"], kept(shown)), ("tiket pywa.pdf", b"%PDF-1.4 tiket"))
    status(sent, types.MessageStatusType.DELIVERED)
    for send, path, mime in ((wa.send_video, "film.mp4", "video/mp4"), (wa.send_audio, "lagu.mp3", "audio/mpeg")):
        send(person.digits, f"{site}/{path}")
        equal(person.sees(path)["file"]["mime_type"], mime)


@check("a file that cannot be had is refused: by link MediaDownloadError, by id MediaUploadError")
def files_refused():
    with refuses(errors.MediaDownloadError) as caught:
        wa.send_image(person.digits, f"{site}/hilang.png")
    includes("404", caught.exception.details)
    with refuses(errors.MediaUploadError) as caught:
        wa.send_image(person.digits, f"{site}/tiket.pdf")
    includes("application/pdf", caught.exception.details)
    with refuses(errors.MediaUploadError):
        wa.send_document(person.digits, "123", filename="tiket.pdf")


@check("a picture and a document of the person come with ids, and their bytes by them")
def files_received():
    for name, content, caption in (("kursi.png", IMAGE, "Kursi saya"), ("surat.pdf", b"%PDF-1.4 surat", "Surat saya")):
        path = os.path.join(directory, name)
        with open(path, "wb") as file:
            file.write(content)
        person.sends_file(company.phone, path, caption)
        message = webhooks.first(types.Message, lambda update: update.caption == caption, caption)
        media = message.image or message.document
        equal(media.sha256, base64.b64encode(hashlib.sha256(content).digest()).decode())
        equal(wa.get_media_bytes(wa.get_media_url(media.id).url), content)


@check("a closed window is ReEngagementMessage (131047), with details and a trace id")
def closed_window():
    with refuses(errors.ReEngagementMessage) as caught:
        wa.send_message(closed, "Halo")
    error = caught.exception
    equal((error.code, error.status_code), (131047, 400))
    includes("24 hours", error.details)
    true(error.fbtrace_id)


@check("an unknown token is ExpiredAccessToken (190, HTTP 401)")
def unknown_token():
    with refuses(errors.ExpiredAccessToken) as caught:
        client("EAAsalah").send_message(person.digits, "Halo")
    equal(caught.exception.status_code, 401)


@check("a template: created, listed, sent, deleted")
def template():
    body = BodyText("Kursi {{seat}} sudah dipesan.", seat="A1")
    created = wa.create_template(
        Template(name=TEMPLATE, language=TemplateLanguage.INDONESIAN, category=TemplateCategory.UTILITY, components=[body])
    )
    equal(created.status.value, "APPROVED")
    [listed] = list(wa.get_templates(name=TEMPLATE))
    equal((listed.id, listed.parameter_format.value, listed.components[0].text), (created.id, "NAMED", "Kursi {{seat}} sudah dipesan."))
    sent = wa.send_template(person.digits, TEMPLATE, TemplateLanguage.INDONESIAN, [BodyText.params(seat="B7")])
    shown = person.sees("Kursi B7 sudah dipesan.")
    equal(shown["template"], {"name": TEMPLATE, "language": "id"})
    delivered = status(sent, types.MessageStatusType.DELIVERED)
    equal((delivered.pricing.billable, delivered.pricing.category.value), (False, "utility"))
    true(wa.delete_template(TEMPLATE).success)
    equal(list(wa.get_templates(name=TEMPLATE)), [])


@check("the business profile, before it is filled in and after")
def profile():
    equal(wa.get_business_profile().about, None)
    true(wa.update_business_profile(about="Film tiap hari", industry=Industry.ENTERTAIN, websites=["https://bioskop.example"]).success)
    got = wa.get_business_profile()
    equal((got.about, got.industry, got.websites), ("Film tiap hari", Industry.ENTERTAIN, ("https://bioskop.example",)))


@check("the phone number")
def phone_number():
    number = wa.get_business_phone_number()
    equal((number.id, number.verified_name), (company.phone_id, company.name))
    equal("".join(filter(str.isdigit, number.display_phone_number)), company.phone[1:])
    equal([one.id for one in wa.get_business_phone_numbers()], [company.phone_id])


@check("the number registers")
def register():
    true(wa.register_phone_number("123456").success)


SEATS = [{"label": "A", "seats": [{"id": "A1", "state": "free", "price": 25000}, {"id": "A2", "state": "sold"}, {"id": "A3", "state": "free"}]}]


def seat_flow():
    def screen(name, children, label, action):
        footer = {"type": "Footer", "label": label, "on-click-action": action}
        return {"id": name, "title": name, "layout": {"type": "SingleColumnLayout", "children": [*children, footer]}}

    pay = {"name": "navigate", "next": {"type": "screen", "name": "NAMA"}, "payload": {"kursi": "${form.kursi}"}}
    done = {"name": "complete", "payload": {"kursi": "${data.kursi}", "nama": "${form.nama}"}}
    seats = {"type": "SeatMap", "name": "kursi", "label": "Kursi", "rows": "${data.rows}", "min-seats": 1, "max-seats": 6, "currency": "IDR"}
    name = {"type": "TextInput", "name": "nama", "label": "Nama", "required": True}
    screens = [screen("KURSI", [seats], "Lanjut", pay), {**screen("NAMA", [name], "Pesan", done), "terminal": True}]
    return {"version": "7.0", "screens": screens}


@check("a flow: created, checked, published, read; then only a copy of it can be changed")
def flow():
    created = wa.create_flow("Pesan", [FlowCategory.OTHER])
    wrong = seat_flow()
    wrong["screens"][0]["layout"]["children"][0]["type"] = "Peta"
    [problem] = wa.update_flow_json(created.id, json.dumps(wrong, indent=2)).validation_errors
    equal((problem.error, problem.error_type), ("INVALID_COMPONENT", "FLOW_JSON_ERROR"))
    with refuses(errors.FlowPublishingError):
        wa.publish_flow(created.id)
    equal(wa.update_flow_json(created.id, json.dumps(seat_flow())).validation_errors, ())
    true(wa.publish_flow(created.id).success)
    got = wa.get_flow(created.id)
    equal((got.id, got.status, got.json_version, got.categories), (created.id, types.FlowStatus.PUBLISHED, "7.0", (FlowCategory.OTHER,)))
    with refuses(errors.FlowUpdatingError):
        wa.update_flow_json(created.id, json.dumps(seat_flow()))
    with refuses(errors.FlowDeletingError):
        wa.delete_flow(created.id)
    equal([asset.name for asset in wa.get_flow_assets(created.id)], ["flow.json"])
    true(wa.delete_flow(wa.create_flow("Salinan", [FlowCategory.OTHER], clone_flow_id=created.id).id).success)


@check("a flow is sent; what the person picks and enters is a FlowCompletion")
def flow_completed():
    [published] = [one for one in wa.get_flows() if one.name == "Pesan"]
    opens = FlowButton(
        title="Pilih kursi",
        flow_id=published.id,
        flow_token="pesanan-9",
        flow_action_type=FlowActionType.NAVIGATE,
        flow_action_screen="KURSI",
        flow_action_payload={"rows": SEATS},
    )
    sent = wa.send_message(person.digits, "Pilih kursimu", buttons=opens)
    shown = person.sees("Pilih kursimu")
    equal((shown["kind"], shown["flow"]["cta"]), ("flow", "Pilih kursi"))
    person.fills(shown, {"kursi": ["A1", "A3"], "nama": "Rani"})
    done = webhooks.first(types.FlowCompletion, lambda update: update.token == "pesanan-9", "the completed flow")
    equal(done.response, {"kursi": ["A1", "A3"], "nama": "Rani"})
    equal(done.reply_to_message.id, sent.id)
    true(wa.deprecate_flow(published.id).success)
    with refuses(errors.InvalidParameter) as caught:
        wa.send_message(person.digits, "Pilih lagi", buttons=opens)
    includes("DEPRECATED", caught.exception.details)


@check("the key to which a flow's data is sealed must be one")
def flow_key():
    with refuses(errors.InvalidParameter) as caught:
        wa.set_business_public_key("-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----")
    includes("2048 bits", caught.exception.details)


SENDS_NOT_YET = {
    "sticker": lambda media: wa.send_sticker(person.digits, media),
    "location": lambda media: wa.send_location(person.digits, -6.2, 106.8, name="Bioskop", address="Jakarta"),
    "contacts": lambda media: wa.send_contact(person.digits, types.Contact(name=types.Contact.Name(formatted_name="Sari", first_name="Sari"))),
    "reaction": lambda media: wa.send_reaction(person.digits, "👍", "wamid.x"),
    "catalog_message": lambda media: wa.send_catalog(person.digits, "Menu"),
    "product": lambda media: wa.send_product(person.digits, "400001", "popcorn", "Menu"),
    "location_request_message": lambda media: wa.request_location(person.digits, "Di mana?"),
}


@check("not yet: sends of other types are UnsupportedMessageType (131051), and the details name the type")
def sends_not_yet():
    uploaded = wa.upload_media(IMAGE, mime_type="image/png", filename="poster.png").id
    for kind, send in SENDS_NOT_YET.items():
        with refuses(errors.UnsupportedMessageType, msg=kind) as caught:
            send(str(uploaded))
        includes(kind, caught.exception.details)


CALLS_NOT_YET = {
    "message_qrdls": lambda: wa.create_qr_code("Halo"),
    "block_users": lambda: wa.block_users([person.digits]),
    "whatsapp_commerce_settings": lambda: wa.get_commerce_settings(),
}


@check("not yet: other calls are refused with 100/33, and the details name the call")
def calls_not_yet():
    for edge, call in CALLS_NOT_YET.items():
        with refuses(errors.WhatsAppError, msg=edge) as caught:
            call()
        equal((caught.exception.code, caught.exception.subcode), (100, 33), edge)
        includes(edge, caught.exception.details)


@check("every webhook had a valid signature, and pywa understood it")
def every_webhook():
    equal(webhooks.refused, [])
    equal(webhooks.complaints.lines, [])


@check("the callback URL is withdrawn, so that nothing waits for a receiver that is gone")
def no_callback_url():
    app_token = f"{company.app_id}|{company.app_secret}"
    answer = httpx.delete(f"{company.url}/{company.app_id}/subscriptions", params={"access_token": app_token})
    equal(answer.json(), {"success": True})


run()
