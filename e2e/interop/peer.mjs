// A member of an MLS group that is not ours: ts-mls (RFC 9420), driven over standard input and output by
// crates/core/src/mls/interop_tests.rs. One request per line, {"call": name, ...}; one answer per line, {...} or
// {"refused": why}. Bytes are in hex.
//
// Of Kabar it knows what any other implementation would have to: the leaf's credential (crates/protocol/src/credential.rs)
// and the GroupContext extension (proto/kabar/v1/mls.proto). What ts-mls does not refuse but trips over ends the process.
import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';
import {
  createApplicationMessage,
  createCommit,
  createGroup,
  decode,
  defaultCredentialTypes,
  defaultExtensionTypes,
  defaultProposalTypes,
  encode,
  generateKeyPackageWithKey,
  getCiphersuiteImpl,
  getGroupMembers,
  joinGroup,
  keyPackageDecoder,
  keyPackageEncoder,
  MlsError,
  makeCustomExtension,
  mlsMessageDecoder,
  mlsMessageEncoder,
  processMessage,
  protocolVersions,
  wireformats,
} from 'ts-mls';
import { withXWing } from './xwing.mjs';

const GROUP_POLICY_EXTENSION = 0xf4b1;
const X25519 = 0x0001;
const XWING = 0x004f;
/** A value that nobody knows and everybody has to put up with (RFC 9420 section 13.5). */
const GREASE = 0x0a0a;

const hex = (bytes) => Buffer.from(bytes).toString('hex');
const unhex = (text) => new Uint8Array(Buffer.from(text, 'hex'));

function decoded(decoder, text, wireformat) {
  const value = decode(decoder, unhex(text));
  if (value === undefined) throw new MlsError('cannot be decoded');
  if (wireformat !== undefined && value.wireformat !== wireformat) throw new MlsError('another wire format');
  return value;
}

/** Is it a Kabar credential, and does it name the device whose key the leaf signs with? */
async function validateCredential({ credentialType, identity }, signatureKey) {
  const device = createHash('sha256').update('kabar/v1/device-id').update(signatureKey).digest().subarray(0, 16);
  const ours = credentialType === defaultCredentialTypes.basic && identity.length === 69 && identity[0] === 1;
  return ours && device.equals(identity.subarray(17, 33));
}

/** The context of every call, our KeyPackage, and the group once there is one: `begin` makes the first two. */
let context;
let own;
let group;

const policyOf = (state) =>
  hex(state.groupContext.extensions.find((e) => e.extensionType === GROUP_POLICY_EXTENSION).extensionData);
const described = () => ({
  epoch: Number(group.groupContext.epoch),
  suite: group.groupContext.cipherSuite,
  policy: policyOf(group),
  members: getGroupMembers(group).map((leaf) => hex(leaf.credential.identity)),
});

const calls = {
  async begin({ suite, signature_key, public_key, credential }) {
    const x25519 = await getCiphersuiteImpl('MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519');
    const cipherSuite = suite === XWING ? withXWing(x25519, XWING) : x25519;
    context = { cipherSuite, authService: { validateCredential } };
    group = undefined;
    own = await generateKeyPackageWithKey({
      cipherSuite,
      credential: { credentialType: defaultCredentialTypes.basic, identity: unhex(credential) },
      signatureKeyPair: { signKey: unhex(signature_key), publicKey: unhex(public_key) },
      capabilities: {
        versions: [protocolVersions.mls10],
        ciphersuites: [XWING, X25519, GREASE],
        extensions: [GROUP_POLICY_EXTENSION, GREASE],
        proposals: [GREASE],
        credentials: [defaultCredentialTypes.basic, GREASE],
      },
      // ts-mls would put GREASE here at random. OpenMLS 0.9.2 refuses it even when it is listed (openmls#2156).
      extensions: [],
    });
    return { key_package: hex(encode(keyPackageEncoder, own.publicPackage)) };
  },

  async join({ welcome }) {
    const message = decoded(mlsMessageDecoder, welcome, wireformats.mls_welcome);
    const keys = { keyPackage: own.publicPackage, privateKeys: own.privatePackage };
    group = await joinGroup({ context, welcome: message.welcome, ...keys });
    return described();
  },

  /** Creates a group, and adds the owner of a KeyPackage. The Welcome carries the ratchet tree. */
  async create({ group_id, policy, key_package }) {
    const required = { extensionTypes: [GROUP_POLICY_EXTENSION], proposalTypes: [], credentialTypes: [] };
    const alone = await createGroup({
      context,
      groupId: unhex(group_id),
      keyPackage: own.publicPackage,
      privateKeyPackage: own.privatePackage,
      extensions: [
        makeCustomExtension({ extensionType: GROUP_POLICY_EXTENSION, extensionData: unhex(policy) }),
        { extensionType: defaultExtensionTypes.required_capabilities, extensionData: required },
      ],
    });
    const keyPackage = decoded(keyPackageDecoder, key_package);
    const add = { proposalType: defaultProposalTypes.add, add: { keyPackage } };
    const done = await createCommit({ context, state: alone, extraProposals: [add], ratchetTreeExtension: true });
    group = done.newState;
    return { ...described(), welcome: hex(encode(mlsMessageEncoder, done.welcome)) };
  },

  async send({ content, authenticated_data }) {
    const done = await createApplicationMessage({
      context,
      state: group,
      message: unhex(content),
      authenticatedData: unhex(authenticated_data),
    });
    group = done.newState;
    return { message: hex(encode(mlsMessageEncoder, done.message)) };
  },

  /** A commit without proposals: a path update. It takes effect here at once. */
  async commit() {
    const done = await createCommit({ context, state: group, wireAsPublicMessage: true });
    group = done.newState;
    return { ...described(), message: hex(encode(mlsMessageEncoder, done.commit)) };
  },

  async receive({ message }) {
    const done = await processMessage({ context, state: group, message: decoded(mlsMessageDecoder, message) });
    group = done.newState;
    const application = done.kind === 'applicationMessage';
    return { ...described(), ...(application && { content: hex(done.message), authenticated_data: hex(done.aad) }) };
  },

  async hpke_derive({ seed }) {
    const { hpke } = context.cipherSuite;
    return { public_key: hex(await hpke.exportPublicKey((await hpke.deriveKeyPair(unhex(seed))).publicKey)) };
  },

  async hpke_seal({ public_key, content, info }) {
    const { hpke } = context.cipherSuite;
    const { enc, ct } = await hpke.seal(await hpke.importPublicKey(unhex(public_key)), unhex(content), unhex(info));
    return { kem_output: hex(enc), ciphertext: hex(ct) };
  },

  async hpke_open({ seed, kem_output, ciphertext, info }) {
    const { hpke } = context.cipherSuite;
    const { privateKey } = await hpke.deriveKeyPair(unhex(seed));
    return { content: hex(await hpke.open(privateKey, unhex(kem_output), unhex(ciphertext), unhex(info))) };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { call, ...request } = JSON.parse(line);
  let answer;
  try {
    answer = await calls[call](request);
  } catch (error) {
    if (!(error instanceof MlsError)) throw error;
    answer = { refused: `${error.name}: ${error.message}` };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
