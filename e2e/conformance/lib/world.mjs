// Where the SDKs are tried: one server, one company, one person who has written to it and one who never did.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServer } from '../../lib/server.mjs';
import { ChatPerson } from './chat_person.mjs';
import { createCompany } from './company.mjs';
import { startSite } from './site.mjs';

export async function startWorld() {
  const directory = mkdtempSync(join(tmpdir(), 'kabar-conformance-'));
  const server = await startServer();
  const site = await startSite();
  const people = [];
  const stop = async () => {
    for (const person of people) await person.stop();
    await server.stop();
    await site.stop();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    const company = await createCompany(server);
    const rani = await ChatPerson.register(server, directory, 'Rani', '+6281234567890');
    const budi = await ChatPerson.register(server, directory, 'Budi', '+6281987654321');
    people.push(rani, budi);
    // Opens Rani's window of 24 hours; Budi's stays closed.
    await rani.says(company.phone, 'Halo');
    for (const person of people) person.follow();
    return { company, directory, site: site.url, rani, budi, stop };
  } catch (error) {
    console.error(`# the server's last words:\n${server.log().slice(-4000)}`);
    await stop();
    throw error;
  }
}
