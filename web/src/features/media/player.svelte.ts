// What is heard: one sound at a time, wherever in a thread it stands. After a voice message the next one in the row is heard.
import type { FileBody, Message } from '../../core/contract';
import { chats } from '../messaging/chats.svelte';
import { type Incoming, incoming } from './incoming.svelte';
import { type Playable, settled } from './playable';
import { nextVoice } from './row';

/** How fast, one after the other. */
export const RATES = [1, 1.5, 2] as const;

type Sounding = Message & { file: FileBody };

class Player {
  /** Which message is heard, or was until it was stopped in the middle. */
  id = $state('');
  playing = $state(false);
  /** In seconds. */
  time = $state(0);
  rate: (typeof RATES)[number] = $state(1);
  #message: Sounding | undefined;
  #held: Incoming | undefined;
  #audio: Playable | undefined;
  /** Counts the wishes: what was begun for an earlier one ends there. */
  #turn = 0;

  /** Plays it, or pauses it. What is not here yet is fetched first; false if it cannot be had, or not be played. */
  async toggle(message: Sounding): Promise<boolean> {
    if (this.id === message.message_id && this.playing) {
      this.pause();
      return true;
    }
    return this.#play(message, this.id === message.message_id ? this.time : 0);
  }

  pause(): void {
    this.#turn += 1;
    this.playing = false;
    this.#audio?.pause();
  }

  /** Goes on from there, if it is heard; else it will begin there. */
  seek(message: Sounding, time: number): void {
    if (this.id !== message.message_id) {
      this.stop();
      this.id = message.message_id;
    }
    this.time = Math.max(0, time);
    if (this.#audio) this.#audio.currentTime = this.time;
  }

  faster(): void {
    this.rate = RATES[(RATES.indexOf(this.rate) + 1) % RATES.length] ?? 1;
    if (this.#audio) this.#audio.playbackRate = this.rate;
  }

  stop(): void {
    this.pause();
    if (this.#held) this.#held.shown -= 1;
    this.#held = undefined;
    this.#audio?.removeAttribute('src');
    this.#audio = undefined;
    this.#message = undefined;
    this.id = '';
    this.time = 0;
  }

  /** It may not be heard any more. */
  forget(file: FileBody): void {
    if (this.#message?.file.location === file.location) this.stop();
  }

  async #play(message: Sounding, from: number): Promise<boolean> {
    if (this.#message?.message_id !== message.message_id) {
      this.stop();
      this.id = message.message_id;
      this.time = from;
    }
    this.#turn += 1;
    const mine = this.#turn;
    const known = incoming.of(message.file);
    await incoming.load(known);
    if (mine !== this.#turn) return true;
    if (!known.url) return false;
    try {
      this.#audio ??= await this.#open(message, known, known.url);
      if (mine !== this.#turn) return true;
      this.#audio.currentTime = this.time;
      this.#audio.playbackRate = this.rate;
      await this.#audio.play();
      this.playing = true;
      this.#follow(mine);
      return true;
    } catch {
      if (mine === this.#turn) this.stop();
      return false;
    }
  }

  async #open(message: Sounding, known: Incoming, url: string): Promise<Playable> {
    this.#message = message;
    this.#held = known;
    known.shown += 1;
    const audio = await settled(new Audio(), url);
    audio.addEventListener('ended', () => audio === this.#audio && this.#ended());
    // The system pauses it too, as for a call.
    audio.addEventListener('pause', () => {
      if (audio === this.#audio) this.playing = false;
    });
    return audio;
  }

  #follow(turn: number): void {
    const step = () => {
      if (turn !== this.#turn || !this.#audio || !this.playing) return;
      this.time = this.#audio.currentTime;
      requestAnimationFrame(step);
    };
    step();
  }

  #ended(): void {
    const message = this.#message;
    this.stop();
    const next = message && nextVoice(chats.thread(message.conversation_id).messages, message.message_id);
    if (next) void this.#play(next, 0);
  }
}

export const player = new Player();
