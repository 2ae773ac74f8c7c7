import type { LiveMessage } from './client';
import { leave_socket } from './sockets';

export type LinkState = 'connecting' | 'live' | 'polling';

interface Hooks {
  message: (message: LiveMessage) => void;
  /** Called every five seconds while the socket can not be had. */
  poll: () => void;
}

const poll_every_ms = 5_000;
const backoff_max_ms = 15_000;

/** Somebody who looks at one topic for a while. */
export interface Follower {
  message: (message: LiveMessage) => void;
  /** From here on the topic is told from its beginning. */
  begin?: () => void;
  interrupted?: () => void;
}

interface Followed {
  readonly options: object;
  readonly follower: Follower;
}

/** The one WebSocket of this tab: kept open, opened again with growing pauses. */
export class LiveLink {
  state = $state<LinkState>('connecting');
  private socket: WebSocket | undefined;
  private readonly followed = new Map<string, Followed>();
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
    socket.onopen = () => this.opened();
    socket.onmessage = ({ data }) => this.take(JSON.parse(String(data)) as LiveMessage);
    socket.onclose = () => this.closed();
  }

  stop(): void {
    clearTimeout(this.retry);
    this.stop_polling();
    if (this.socket) leave_socket(this.socket);
    this.socket = undefined;
  }

  /** Follows a topic, over interruptions too, until the function that it gives is called. */
  follow(topic: string, options: object, follower: Follower): () => void {
    const followed = { options, follower };
    this.followed.set(topic, followed);
    if (this.state === 'live') this.subscribe(topic, followed);
    return () => {
      if (this.followed.get(topic) !== followed) return;
      this.followed.delete(topic);
      this.say({ unsubscribe: topic });
    };
  }

  private subscribe(topic: string, { options, follower }: Followed): void {
    this.say({ subscribe: topic, ...options });
    follower.begin?.();
  }

  private say(message: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  private take(message: LiveMessage): void {
    const followed = this.followed.get(message.topic);
    if (!followed) return this.hooks.message(message);
    if (message.type === 'end' || message.type === 'error') this.followed.delete(message.topic);
    followed.follower.message(message);
  }

  private opened(): void {
    this.state = 'live';
    this.pause_ms = 500;
    this.stop_polling();
    for (const topic of this.topics()) this.say({ subscribe: topic });
    for (const [topic, followed] of this.followed) this.subscribe(topic, followed);
  }

  private closed(): void {
    this.state = 'polling';
    for (const { follower } of this.followed.values()) follower.interrupted?.();
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
