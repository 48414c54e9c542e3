// Everything that an operator does for a new company, and what its programs need to know afterwards.
const PHONE = '+622150008000';
const NAME = 'Bioskop Kota';
const CONNECT_MS = 20_000;

export async function createCompany(server) {
  const { waba_id, app_id, app_secret } = server.admin('business', 'create', '--name', NAME);
  const { phone_number_id } = server.admin('number', 'add', '--waba', waba_id, '--phone', PHONE, '--name', NAME);
  const { access_token } = server.admin('token', 'create', '--app', app_id);
  const company = {
    name: NAME,
    phone: PHONE,
    url: `http://127.0.0.1:${server.port}`,
    token: access_token,
    phoneId: phone_number_id,
    wabaId: waba_id,
    appId: app_id,
    appSecret: app_secret,
  };
  await connected(company);
  return company;
}

/** The number's client enrols in the background; a call says when it is there. */
async function connected({ url, phoneId, token }) {
  const until = performance.now() + CONNECT_MS;
  for (;;) {
    const answer = await fetch(`${url}/${phoneId}/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ messaging_product: 'whatsapp', status: 'read', message_id: 'wamid.x' }),
    });
    const text = await answer.text();
    if (answer.ok) return;
    if (performance.now() > until) throw new Error(`the number does not connect: ${text}`);
  }
}
