/** What `/consent.js` puts on every page as `window.consent`. See docs/client.md. */

export type Purpose = "necessary" | "functional" | "analytics" | "marketing";

/** The decision document (docs/api.md), as far as the script uses it. */
export interface State {
  /** What has to be shown now: ask, tell, or nothing. */
  banner: "opt_in" | "notice" | "none";
  /** What may run right now, by purpose. */
  purposes: Record<Purpose, boolean>;
  /** Services that do not simply follow their purpose, and whether they may run. */
  services: Record<string, boolean>;
  /** The latest believed choice, also when it is over; null before one. */
  choice: Choice | null;
  signals: { gpc: boolean; dnt: boolean; applied: string[]; status: "honored" | "overridden" | null };
  policy: { version: number };
  language: string;
  /** Google Consent Mode v2. */
  consent_mode: Record<string, "granted" | "denied">;
}

/** What the server tells the script beside: not for pages, and not promised to stay. */
export interface Told extends State {
  notice: { hash: string; asks: Purpose[] } | null;
  held: {
    text: string;
    allow: string;
    failed: string;
    dir: string;
    purposes: Record<string, string>;
    services: Record<string, { purpose: Purpose; name: string; each: boolean }>;
  };
  /** Purposes that are asked service by service, and of which one was refused. */
  partly: string[];
  post_signal: boolean;
  forget: string[];
  html?: string;
  saved?: string;
  footer?: string;
}

export interface Choice {
  /** RFC 3339, UTC. */
  at: string;
  expires_at: string | null;
  purposes: Partial<Record<Purpose, boolean>>;
  services: Record<string, boolean>;
  receipt: string | null;
  policy_version: number;
}

export interface Options {
  /** Answers to single services of a purpose that is allowed. */
  services?: Record<string, boolean>;
  /** False: what is left out is refused. True, the default: it stays as it is. */
  partial?: boolean;
}

/** Called after every change, with what may run now and what might before. */
export type Listener = (now: State, before: State | null) => void;

export interface Consent {
  /** Everything that is known; null until `ready`, and where nobody answers. */
  get(): State | null;
  /** Whether a purpose, or one of its services, may run right now; false when unsure. */
  get(purpose: Purpose, service?: string): boolean;
  /**
   * Record an explicit answer of the person: call it from something that they pressed.
   * Rejects with the Response (or the network's error) where it was not kept: then
   * nothing more runs. A refusal counts at once, and is sent again.
   */
  set(purposes: Partial<Record<Purpose, boolean>>, options?: Options): Promise<State>;
  /** Show the preferences: the page, or on another site a form in place. */
  open(): Promise<void>;
  /** Hear of changes; returns what stops it. */
  onChange(listener: Listener): () => boolean;
  /** Resolves once it is known what may run; with null where nobody answers. */
  readonly ready: Promise<State | null>;
}

declare global {
  var consent: Consent;
  interface Window {
    consent: Consent;
    dataLayer?: unknown[];
    uetq?: unknown[];
    clarity?: { (...told: unknown[]): void; q?: unknown[] };
  }
  interface Navigator {
    /** Global Privacy Control: absent where a browser does not know it. */
    readonly globalPrivacyControl?: boolean;
  }
}
