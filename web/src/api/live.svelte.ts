import type { LiveMessage } from './client';

export type LinkState = 'connecting' | 'live' | 'polling';

interface Hooks {
  message: (message: LiveMessage) => void;
  /** Called every five seconds while the socket can not be had. */
  poll: () => void;
}

const poll_every_ms = 5_000;
const backoff_max_ms = 15_000;

/** The one WebSocket of this tab: kept open, opened again with growing pauses. */
export class LiveLink {
  state = $state<LinkState>('connecting');
  private socket: WebSocket | undefined;
  private pause_ms = 500;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private polling: ReturnType<typeof setInterval> | undefined;

  /** `topics` are asked for whenever the socket has been opened. */
  constructor(
    private readonly topics: () => readonly string[],
    private readonly hooks: Hooks,
  ) {}

  start(): void {
    const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/api/v1/live`);
    this.socket = socket;
    socket.onopen = () => this.opened(socket);
    socket.onmessage = ({ data }) => this.hooks.message(JSON.parse(String(data)) as LiveMessage);
    socket.onclose = () => this.closed();
  }

  stop(): void {
    clearTimeout(this.retry);
    this.stop_polling();
    if (!this.socket) return;
    this.socket.onclose = null;
    this.socket.onmessage = null;
    this.socket.close();
    this.socket = undefined;
  }

  private opened(socket: WebSocket): void {
    this.state = 'live';
    this.pause_ms = 500;
    this.stop_polling();
    for (const topic of this.topics()) socket.send(JSON.stringify({ subscribe: topic }));
  }

  private closed(): void {
    this.state = 'polling';
    if (this.polling === undefined) {
      this.hooks.poll();
      this.polling = setInterval(this.hooks.poll, poll_every_ms);
    }
    // Jitter, so that the tabs of many people do not come back in step after a restart.
    this.retry = setTimeout(() => this.start(), this.pause_ms * (0.75 + Math.random() / 2));
    this.pause_ms = Math.min(this.pause_ms * 2, backoff_max_ms);
  }

  private stop_polling(): void {
    clearInterval(this.polling);
    this.polling = undefined;
  }
}
