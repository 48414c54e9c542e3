import { describe, expect, it } from 'vitest';
import { parseAddress, parseRoute } from './route';
import { parseWho, userLink } from './who';

const ID = '0123456789abcdef0123456789abcdef';
const HERE = 'https://kabar.example';

describe('parseRoute', () => {
  it('knows the screens', () => {
    expect(parseRoute('')).toEqual({ name: 'list' });
    expect(parseRoute('#/')).toEqual({ name: 'list' });
    expect(parseRoute('#/settings')).toEqual({ name: 'settings' });
    expect(parseRoute(`#/c/${ID}`)).toEqual({ name: 'chat', id: ID, details: false });
    expect(parseRoute(`#/c/${ID}/details`)).toEqual({ name: 'chat', id: ID, details: true });
    expect(parseRoute('#/requests')).toEqual({ name: 'requests' });
    expect(parseRoute('#/privacy')).toEqual({ name: 'privacy' });
    expect(parseRoute('#/starred')).toEqual({ name: 'starred' });
    expect(parseRoute('#/gate')).toEqual({ name: 'gate' });
    expect(parseRoute(`#/ticket/${ID}${ID}`)).toEqual({ name: 'ticket', id: ID + ID });
    expect(parseRoute(`#/ticket/${ID}`)).toEqual({ name: 'unknown' });
    expect(parseRoute('#/join/abc-123')).toEqual({ name: 'join', code: 'abc-123' });
  });
  it('does not take everything for a screen', () => {
    expect(parseRoute('#/c/nothex')).toEqual({ name: 'unknown' });
    expect(parseRoute('#/else')).toEqual({ name: 'unknown' });
    expect(parseRoute('#/u/%E0%A4%A')).toEqual({ name: 'user', who: '%E0%A4%A', called: '' });
  });
});

describe('links of people', () => {
  it('lead back to who they name', () => {
    const link = userLink(HERE, '+62 812', 'Bu Sri / Tim');
    expect(parseRoute(new URL(link).hash)).toEqual({ name: 'user', who: '+62 812', called: 'Bu Sri / Tim' });
    expect(parseWho(link, HERE)).toEqual({ who: '+62 812', called: 'Bu Sri / Tim' });
  });
  it('are the same server under every name of localhost', () => {
    const link = userLink('http://dua.localhost:8080', 'budi', 'Budi');
    expect(link).toBe('http://localhost:8080/#/u/budi/Budi');
    expect(parseWho(link, 'http://dua.localhost:8080')).toEqual({ who: 'budi', called: 'Budi' });
  });
  it('of another server are said to be so', () => {
    expect(parseWho(userLink('https://else.example:8443', 'budi', 'Budi'), HERE)).toEqual({
      otherServer: 'else.example:8443',
    });
  });
});

describe('links into groups', () => {
  it('are an address with a path, until one goes on from there', () => {
    expect(parseAddress({ pathname: '/i/abc', hash: '#s-e_c' })).toEqual({
      name: 'invite',
      code: 'abc',
      secret: 's-e_c',
    });
    expect(parseAddress({ pathname: '/i/abc', hash: '' })).toEqual({ name: 'invite', code: 'abc', secret: '' });
    expect(parseAddress({ pathname: '/i/abc', hash: '#/settings' })).toEqual({ name: 'settings' });
    expect(parseAddress({ pathname: '/i/abc/def', hash: '' })).toEqual({ name: 'list' });
  });
  it('are told from those of people, and from other servers', () => {
    expect(parseWho(`${HERE}/i/abc#def`, HERE)).toEqual({ invite: '/i/abc#def' });
    expect(parseWho('https://else.example/i/abc#def', HERE)).toEqual({ otherServer: 'else.example' });
  });
});

describe('parseWho', () => {
  it('passes names, numbers and ids on to the core', () => {
    expect(parseWho(' @budi ', HERE)).toEqual({ who: '@budi', called: '' });
    expect(parseWho('+62 812-3456-7890', HERE)).toEqual({ who: '+62 812-3456-7890', called: '' });
    expect(parseWho(ID, HERE)).toEqual({ who: ID, called: '' });
  });
  it('refuses what cannot be anybody', () => {
    expect(parseWho('', HERE)).toBe('invalid');
    expect(parseWho('my friend budi', HERE)).toBe('invalid');
    expect(parseWho('https://kabar.example/somewhere', HERE)).toBe('invalid');
    expect(parseWho('https://', HERE)).toBe('invalid');
  });
});
