// The console of the demo shop: asks its state once a second, shows calls with everything filled in, sends one.

const WORDS = {
  en: {
    title: 'The Cloud API, on your own machine',
    write: 'Write to the shop',
    write_text: 'A business may answer for 24 hours after a person has written. Open the app and say hello:',
    open: (name) => `Write to ${name}`,
    nobody: 'Nobody has written yet. The calls below need somebody to answer.',
    wrote: (name) => `${name} has written: the calls below answer.`,
    call: 'Answer with the SDK that you have',
    copy: 'Copy',
    copied: 'Copied',
    send: 'Send it now',
    sent: (id) => `200 · ${id}`,
    next: 'What the next message costs',
    closed: 'The window is closed: a free-form message would be refused (131047). An approved template may go out.',
    window: (until) => `The window is open until ${until}: free-form messages may go out.`,
    price: (category, price) => `${category}: ${price}`,
    free: 'No rate card is in force: every message is free.',
    hooks: 'Webhooks, as they arrive',
    hooks_text: 'Signed over their exact bytes, one message or status each. A receiver that was away loses none.',
    no_hooks: 'Nothing yet. Write to the shop, and it appears here.',
    genuine: 'signature genuine',
    forged: 'signature wrong',
    keys: 'Keys of the demo shop',
    starting: 'The demo shop is being made …',
    away: 'The server does not answer. Trying again …',
    language: 'Bahasa Indonesia',
    reply: 'Hello from the API',
  },
  id: {
    title: 'Cloud API, di komputer Anda sendiri',
    write: 'Tulis ke toko',
    write_text: 'Bisnis boleh membalas selama 24 jam sejak seseorang menulis. Buka aplikasinya dan sapa:',
    open: (name) => `Tulis ke ${name}`,
    nobody: 'Belum ada yang menulis. Panggilan di bawah perlu seseorang untuk dibalas.',
    wrote: (name) => `${name} sudah menulis: panggilan di bawah membalasnya.`,
    call: 'Balas dengan SDK yang Anda punya',
    copy: 'Salin',
    copied: 'Tersalin',
    send: 'Kirim sekarang',
    sent: (id) => `200 · ${id}`,
    next: 'Biaya pesan berikutnya',
    closed: 'Jendela tertutup: pesan bebas akan ditolak (131047). Templat yang disetujui boleh dikirim.',
    window: (until) => `Jendela terbuka sampai ${until}: pesan bebas boleh dikirim.`,
    price: (category, price) => `${category}: ${price}`,
    free: 'Tidak ada daftar harga yang berlaku: semua pesan gratis.',
    hooks: 'Webhook, begitu tiba',
    hooks_text: 'Ditandatangani atas byte persisnya, satu pesan atau status masing-masing. Penerima yang sempat mati tidak kehilangan apa pun.',
    no_hooks: 'Belum ada. Tulis ke toko, dan akan muncul di sini.',
    genuine: 'tanda tangan asli',
    forged: 'tanda tangan salah',
    keys: 'Kunci toko demo',
    starting: 'Toko demo sedang dibuat …',
    away: 'Server tidak menjawab. Mencoba lagi …',
    language: 'English',
    reply: 'Halo dari API',
  },
};

const POLL_MS = 1_000;
const $ = (id) => document.getElementById(id);
let language = navigator.language.startsWith('id') ? 'id' : 'en';
let tool = 'curl';
let shop;
let shownHooks = '';

const words = () => WORDS[language];

function applyLanguage() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll('[data-t]')) element.textContent = words()[element.dataset.t];
  $('language').textContent = words().language;
  $('language').lang = language === 'en' ? 'id' : 'en';
  if (shop) show();
}

/** The newest person who wrote to the shop, or nobody. */
function writer() {
  for (const hook of shop.hooks) {
    const value = hook.body?.entry?.[0]?.changes?.[0]?.value;
    const message = value?.messages?.[0];
    if (message) return { id: message.from_user_id, name: value.contacts?.[0]?.profile?.name || message.from_user_id };
  }
  return undefined;
}

const message = (to) => ({ messaging_product: 'whatsapp', to, type: 'text', text: { body: words().reply } });

function code(to) {
  const url = location.origin;
  const { phone_number_id: number, access_token: token } = shop;
  if (tool === 'pywa') {
    return `# pip install pywa httpx
import httpx
from pywa import WhatsApp

class Kabar(httpx.HTTPTransport):  # send the SDK's calls here instead
    def handle_request(self, request):
        request.url = request.url.copy_with(scheme="${location.protocol.slice(0, -1)}", host="${location.hostname}", port=${location.port || 'None'})
        request.headers["host"] = "${location.host}"
        return super().handle_request(request)

wa = WhatsApp(phone_id="${number}", token="${token}",
              session=httpx.Client(transport=Kabar()))
print(wa.send_message("${to}", "${words().reply}").id)`;
  }
  if (tool === 'node') {
    return `// npm i @kapso/whatsapp-cloud-api
import { WhatsAppClient } from '@kapso/whatsapp-cloud-api';

const client = new WhatsAppClient({
  baseUrl: '${url}',
  accessToken: '${token}',
});
const sent = await client.messages.sendText({
  phoneNumberId: '${number}', to: '${to}', body: '${words().reply}',
});
console.log(sent.messages[0].id);`;
  }
  return `curl ${url}/v23.0/${number}/messages \\
  -H 'Authorization: Bearer ${token}' \\
  -H 'Content-Type: application/json' \\
  -d '${JSON.stringify(message(to))}'`;
}

async function call(method, path, body) {
  const answer = await fetch(`/v23.0/${path}`, {
    method,
    headers: { authorization: `Bearer ${shop.access_token}`, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  return answer.json();
}

function show() {
  const person = writer();
  const to = person?.id ?? 'USER_ID';
  $('open').textContent = words().open(shop.name);
  $('open').href = `/#/u/${encodeURIComponent(shop.phone)}`;
  $('who').textContent = person ? words().wrote(person.name) : words().nobody;
  $('code').firstElementChild.textContent = code(to);
  $('send').disabled = !person;
  $('keys').replaceChildren(
    ...['phone', 'phone_number_id', 'waba_id', 'app_id', 'app_secret', 'access_token'].flatMap((name) => {
      const [term, value] = [document.createElement('dt'), document.createElement('dd')];
      term.textContent = name;
      value.textContent = shop[name];
      return [term, value];
    }),
  );
  showHooks();
}

function showHooks() {
  const key = language + shop.hooks.map((hook) => hook.delivery).join();
  if (key === shownHooks) return;
  shownHooks = key;
  const open = new Set([...document.querySelectorAll('#hooks details[open]')].map((one) => one.dataset.delivery));
  $('no-hooks').hidden = shop.hooks.length > 0;
  $('hooks').replaceChildren(
    ...shop.hooks.map((hook) => {
      const item = document.createElement('li');
      const details = document.createElement('details');
      details.dataset.delivery = hook.delivery;
      details.open = open.has(hook.delivery);
      const summary = document.createElement('summary');
      const value = hook.body?.entry?.[0]?.changes?.[0]?.value ?? {};
      const one = value.messages?.[0] ?? value.statuses?.[0] ?? {};
      const kind = document.createElement('strong');
      kind.textContent = one.type === 'payment' ? `payment ${one.status}` : (one.status ?? one.type ?? 'webhook');
      const text = document.createElement('span');
      text.textContent = one.text?.body ?? one.interactive?.button_reply?.title ?? '';
      const verdict = document.createElement('span');
      verdict.className = hook.genuine ? 'genuine' : 'forged';
      verdict.textContent = hook.genuine ? words().genuine : words().forged;
      summary.append(kind, text, verdict);
      const body = document.createElement('pre');
      body.tabIndex = 0;
      body.textContent = `X-Hub-Signature-256: ${hook.signature}\n\n${JSON.stringify(hook.body, null, 2)}`;
      details.append(summary, body);
      item.append(details);
      return item;
    }),
  );
}

/** How long free-form messages may go out, and what each costs. */
async function showWindow() {
  const person = writer();
  if (!person) {
    $('window').textContent = words().closed;
    return;
  }
  const state = await call('GET', `${shop.phone_number_id}/conversations/${encodeURIComponent(person.id)}`);
  const open = state.customer_service_window;
  const until = open?.expiration_timestamp && new Date(open.expiration_timestamp * 1000);
  const time = until?.toLocaleString(language, { dateStyle: 'medium', timeStyle: 'short' });
  const prices = Object.entries(state.prices ?? {}).map(([category, price]) => words().price(category, price?.text ?? price));
  const lines = [open?.open ? words().window(time) : words().closed, prices.length ? prices.join(' · ') : words().free];
  $('window').textContent = lines.join(' ');
}

async function poll() {
  try {
    const answer = await fetch('/b/demo/state.json');
    const state = await answer.json();
    $('trouble').hidden = state.ready;
    if (state.ready) {
      const news = !shop || state.hooks[0]?.delivery !== shop.hooks[0]?.delivery;
      shop = state;
      show();
      if (news) await showWindow();
    } else {
      $('trouble').textContent = words().starting;
    }
  } catch {
    $('trouble').hidden = false;
    $('trouble').textContent = words().away;
  }
  setTimeout(poll, POLL_MS);
}

$('language').addEventListener('click', () => {
  language = language === 'en' ? 'id' : 'en';
  applyLanguage();
  if (shop) showWindow();
});
$('copy').addEventListener('click', async () => {
  await navigator.clipboard.writeText($('code').textContent);
  $('sent').textContent = words().copied;
});
$('send').addEventListener('click', async () => {
  const answer = await call('POST', `${shop.phone_number_id}/messages`, message(writer().id));
  $('sent').textContent = answer.error ? `${answer.error.code} · ${answer.error.error_data.details}` : words().sent(answer.messages[0].id);
});
const tabs = [...document.querySelectorAll('[role="tab"]')];
function choose(tab) {
  for (const one of tabs) {
    one.setAttribute('aria-selected', String(one === tab));
    one.tabIndex = one === tab ? 0 : -1;
  }
  tool = tab.id.slice('tab-'.length);
  $('code').setAttribute('aria-labelledby', tab.id);
  if (shop) show();
}
for (const [index, tab] of tabs.entries()) {
  tab.addEventListener('click', () => choose(tab));
  tab.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(index + step + tabs.length) % tabs.length];
    next.focus();
    choose(next);
  });
}
applyLanguage();
poll();
