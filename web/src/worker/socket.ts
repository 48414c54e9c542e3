// The one WebSocket to the server: opens when told to, reports what comes. Back-off is the core's.

export interface SocketEvents {
  connected(): void;
  disconnected(): void;
  frame(bytes: Uint8Array): void;
}

export class Socket {
  readonly #url: string;
  readonly #events: SocketEvents;
  #open: WebSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(url: string, events: SocketEvents) {
    this.#url = url;
    this.#events = events;
  }

  /** Ignored when the socket is open, being opened, or about to be. */
  connect(delayMs: number): void {
    if (this.#open || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#connectNow(), delayMs);
  }

  /** The network is back: do not sit out the rest of a delay. */
  hurry(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#connectNow();
  }

  send(frame: Uint8Array<ArrayBuffer>): void {
    // A frame for a socket that is just gone is lost like one on a broken line: the core hears `disconnected` and repeats it.
    if (this.#open?.readyState === WebSocket.OPEN) this.#open.send(frame);
  }

  /** Closes and, unlike `stop`, reports it. */
  disconnect(): void {
    const socket = this.#open;
    if (!socket) return;
    this.#forget(socket);
    this.#events.disconnected();
  }

  /** Closes for good, silently. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#open) this.#forget(this.#open);
  }

  #connectNow(): void {
    this.#timer = undefined;
    const socket = new WebSocket(this.#url);
    this.#open = socket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => this.#events.connected();
    socket.onmessage = (event) => this.#events.frame(new Uint8Array(event.data));
    socket.onclose = () => {
      this.#open = undefined;
      this.#events.disconnected();
    };
  }

  #forget(socket: WebSocket): void {
    // A dead line takes long to close: do not wait for it, and do not listen to it any more.
    socket.onopen = socket.onmessage = socket.onclose = null;
    this.#open = undefined;
    socket.close();
  }
}
