// Holds back what the visitor has not allowed. How to use it: docs/client.md.
// @ts-check
/// <reference path="consent.d.ts" />
(() => {
  "use strict";
  const script = /** @type {HTMLScriptElement} */ (document.currentScript);
  const { base = ".", query = "", site = "", edge = "bottom", state: given } = script.dataset;
  const home = new URL(base, script.src);
  const root = document.documentElement;
  const UNSENT = "consent-unsent";
  /** @type {import("./consent").State | null} */
  let state = given ? JSON.parse(given) : null;
  /** @type {Set<import("./consent").Listener>} */
  const listeners = new Set();
  /** Purpose and service of each script that was run. @type {string[][]} */
  const ran = [];
  const channel = new BroadcastChannel("consent");
  /** @type {(state: import("./consent").State) => void} */
  let arrived;
  const ready = new Promise((resolve) => (arrived = resolve));

  const allows = (purpose, service, now = state) =>
    now?.services[service] ?? now?.purposes[purpose] ?? purpose === "necessary";
  const key = () => JSON.stringify([state?.purposes, state?.services, state?.choice?.at]);
  const $ = (selector, within = document) => within.querySelector(selector);

  // What other tools of a page are told: Google Consent Mode, Microsoft UET and Clarity.
  const w = /** @type {any} */ (window);
  const queue = (name) => (w[name] = w[name] || []);
  function gtag() { queue("dataLayer").push(arguments); }
  w.clarity = w.clarity || function () { (w.clarity.q = w.clarity.q || []).push(arguments); };
  const tell = (/** @type {"default" | "update"} */ kind) => {
    const mode = state?.consent_mode ?? {};
    const word = (name) => mode[name] || "denied";
    const [ads, analytics] = [word("ad_storage"), word("analytics_storage")];
    const names = ["ad_user_data", "ad_personalization", "functionality_storage", "personalization_storage"];
    const all = Object.fromEntries(names.map((name) => [name, word(name)]));
    // @ts-ignore: pushed as `arguments`, which Google's own tag reads
    gtag("consent", kind, { ad_storage: ads, analytics_storage: analytics, ...all, security_storage: "granted", ...(!state && { wait_for_update: 500 }) });
    queue("uetq").push("consent", kind, { ad_storage: ads });
    w.clarity("consentv2", { ad_Storage: ads, analytics_Storage: analytics });
    queue("dataLayer").push({ event: "consent_" + kind, consent: { ...state?.purposes } });
  };

  // Asking the backend, and answering it.
  const ask = async (/** @type {string} */ path, /** @type {object} */ body, more = {}) => {
    const url = new URL(path, home);
    const gpc = navigator["globalPrivacyControl"] ? "1" : "";
    const words = { script: "1", language: root.lang, edge, site, gpc, ...more };
    url.search = new URLSearchParams([...new URLSearchParams(query), ...Object.entries(words)].filter(([, value]) => value)) + "";
    const kept = site && document.cookie.match(/(?:^|; )consent=([^;]*)/)?.[1];
    const answer = await fetch(url, {
      method: body ? "POST" : "GET",
      body: body && JSON.stringify(body),
      headers: { ...(body && { "Content-Type": "application/json" }), ...(kept && { "Consent-Cookie": kept }) },
      credentials: site ? "omit" : "include",
      keepalive: !!body,
    });
    if (!answer.ok) throw Object.assign(new Error(`consent: ${answer.status}`), { status: answer.status });
    const found = await answer.json();
    if (found.cookie) document.cookie = `consent=${found.cookie}; path=/; max-age=34560000; samesite=lax` + (location.protocol === "https:" ? "; secure" : "");
    return found;
  };
  const refresh = async () => {
    try {
      apply(await ask("api/v1/decision"));
    } catch {
      // Nobody answers: what is on by an older answer stays, nothing is turned on.
      if (!state) gates();
    }
    arrived(state);
  };
  const grants = (body) => [body.purposes, body.services].some((said) => Object.values(said || {}).includes(true));
  const send = async (body, tries = 3) => {
    try {
      const found = await ask("api/v1/choices", body);
      localStorage.removeItem(UNSENT);
      apply({ ...found.decision, saved: found.saved });
      return state;
    } catch (error) {
      const { status = 503 } = error;
      if (grants(body) || (status < 500 && status !== 429)) throw error;
      // A refusal counts here at once, and is sent again: now, and on the next page.
      localStorage.setItem(UNSENT, JSON.stringify(body));
      off(body);
      if (!tries) throw error;
      await new Promise((resolve) => setTimeout(resolve, 4 ** (4 - tries) * 500));
      return send(body, tries - 1);
    }
  };
  const off = ({ purposes, services, partial }) => {
    if (!state) return;
    const said = (name) => purposes[name] ?? !!partial;
    const on = Object.entries(state.purposes).map(([name, now]) => [name, now && (name === "necessary" || said(name))]);
    const alone = Object.entries(state.services).map(([name, now]) => [name, now && services?.[name] !== false && said(state.held.services[name]?.purpose)]);
    apply({ ...state, purposes: Object.fromEntries(on), services: Object.fromEntries(alone), consent_mode: {}, html: "" });
  };
  const set = (purposes, { services = {}, partial = true, surface = "api", notice } = /** @type {any} */ ({})) =>
    send({ purposes, services, partial, surface, ...(notice && { notice }), policy_version: state.policy.version, language: state.language });

  // What is held back until it is allowed.
  const gates = () => {
    for (const held of document.querySelectorAll("[data-consent]")) {
      const { consent: purpose, consentService: service } = /** @type {HTMLElement} */ (held).dataset;
      const on = allows(purpose, service);
      if (!(held instanceof HTMLScriptElement)) (on ? show : hide)(held, purpose, service);
      else if (on) run(held, purpose, service);
    }
  };
  const run = (held, purpose, service) => {
    const live = document.createElement("script");
    for (const { name, value } of held.attributes) if (!/^(type|data-(consent.*|src|type))$/.test(name)) live.setAttribute(name, value);
    const { src, type } = held.dataset;
    live.async = held.async && held.hasAttribute("async");
    live.nonce = held.nonce;
    live.text = held.text;
    if (type) live.type = type;
    if (src) live.src = src;
    ran.push([purpose, service]);
    held.replaceWith(live);
  };
  const boxes = new WeakMap();
  const show = (held) => {
    boxes.get(held)?.remove();
    if (boxes.delete(held)) held.hidden = false;
    const { src, srcset } = held.dataset;
    if (held.content) held.replaceWith(held.content.cloneNode(true));
    if (src && held.getAttribute("src") !== src) held.src = src;
    if (srcset) held.srcset = srcset;
  };
  const hide = (held, purpose, service) => {
    if (held.dataset.src && held.hasAttribute("src")) for (const name of ["src", "srcset"]) held.removeAttribute(name);
    const words = state?.held, name = words?.services[service]?.name || words?.purposes[purpose];
    if (!name || boxes.has(held) || held.hidden || held.getAttribute("width") === "1") return;
    const box = document.createElement("div"), text = document.createElement("p"), button = document.createElement("button");
    box.className = "consent-placeholder";
    box.lang = state.language;
    text.textContent = words.text.replace("{name}", name);
    button.textContent = words.allow.replace("{name}", name);
    button.onclick = () => allow(purpose, service).catch(() => (text.textContent = words.failed));
    box.append(text, button);
    boxes.set(held, box);
    held.before(box);
    held.hidden = true;
  };
  /** Allow a purpose, or of its services this one beside those that run already. */
  const allow = (purpose, service) => {
    const others = Object.entries(state.held.services).filter(([, about]) => about.purpose === purpose);
    const services = service ? Object.fromEntries(others.map(([name]) => [name, name === service || allows(purpose, name)])) : {};
    return set({ [purpose]: true }, { services });
  };
  const expire = (names) => {
    const shapes = names.map((name) => new RegExp("^" + name.replace(/[^*\w]/g, "\\$&").replace(/\*/g, ".*") + "$"));
    const labels = location.hostname.split(".");
    for (const [name] of document.cookie.split("; ").map((pair) => pair.split("=")))
      if (shapes.some((shape) => shape.test(name)))
        for (const path of ["/", location.pathname])
          for (let at = labels.length; at >= 0; at--)
            document.cookie = `${name}=; max-age=0; path=${path}` + (labels[at] ? "; domain=" + labels.slice(at).join(".") : "");
  };

  // The banner: one section, first in the body, in the flow or pinned to an edge.
  let room = 0;
  const reserve = (/** @type {number} */ height, side = "Top") => {
    root.style["scrollPadding" + side] = root.style["padding" + side] = height ? height + "px" : "";
    if (side === "Top") scrollBy({ top: height - room, behavior: "instant" });
    room = side === "Top" ? height : 0;
  };
  const pin = (/** @type {HTMLElement} */ section) => {
    const side = section.classList.contains("top") ? "Top" : "Bottom";
    reserve(section.offsetHeight, side);
  };
  const put = (/** @type {string} */ html) => {
    const old = $(".consent");
    const held = document.createElement("template");
    held.innerHTML = html || "";
    const section = held.content.firstElementChild;
    if (old?.matches(".pinned")) reserve(0, old.matches(".top") ? "Top" : "Bottom");
    if (!section) return old?.remove();
    old ? old.replaceWith(section) : document.body.prepend(section);
    if (section.matches(".pinned")) pin(/** @type {HTMLElement} */ (section));
    return section;
  };
  const say = () => {
    const here = encodeURIComponent(location.href);
    for (const link of document.querySelectorAll('.consent a, [data-consent-own] a')) link.setAttribute("href", link.getAttribute("href").replace("%7Bhere%7D", here));
  };
  const apply = (/** @type {import("./consent").State} */ next) => {
    const before = state, had = key();
    state = next;
    const ends = (now) => before && allows(...now, before) && !allows(...now);
    const ended = Object.keys(next.purposes).some((purpose) => ends([purpose]));
    expire(next.forget || []);
    if (next.html !== undefined || next.saved || next.banner === "none") {
      const section = put(next.saved || next.html);
      if (next.saved) section.focus();
    }
    if (next.footer !== undefined && $("[data-consent-own]")) $("[data-consent-own]").innerHTML = next.footer;
    say();
    gates();
    if (had !== key() || !before) {
      tell("update");
      for (const listener of listeners) listener(state, before);
      channel.postMessage(key());
    }
    // What has run cannot be taken back but by a new page.
    if (ran.some((one) => !allows(...one)) || (ended && $("[data-consent-gated]"))) location.reload();
  };

  const answer = async (form, button) => {
    const asked = button.value === "save" ? new FormData(form) : null;
    const names = asked || form.closest(".choose") ? Object.keys(state.held.purposes) : state.notice.asks;
    const purposes = Object.fromEntries(names.map((name) => [name, asked ? asked.get("purpose-" + name) === "yes" : button.value === "accept"]));
    const banner = !form.closest(".choose");
    try {
      await set(purposes, { partial: false, surface: banner ? "banner" : "preferences", notice: banner && state.notice.hash });
    } catch {
      const text = document.createElement("p");
      text.setAttribute("role", "alert");
      text.textContent = state.held.failed;
      $("[role=alert]", form)?.remove();
      form.prepend(text);
    }
  };
  const open = async () => {
    if (!site) return void location.assign(new URL(`cookie-preferences/?${query && query + "&"}return_to=${encodeURIComponent(location.href)}`, home));
    const { html } = await ask("api/v1/decision", null, { choose: "1" });
    put(html).focus();
  };

  addEventListener("submit", (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target), button = /** @type {any} */ (event.submitter);
    // A page whose parts the server holds back has to be made anew by the server.
    if (!form.closest(".consent") || !state?.held || !button?.value || $("[data-consent-gated]")) return;
    event.preventDefault();
    answer(form, button);
  });
  addEventListener("click", (event) => {
    const link = /** @type {Element} */ (event.target).closest?.(".saved .button, [data-consent-open]" + (site && ", .consent .acts a"));
    if (!link) return;
    event.preventDefault();
    link.matches(".saved .button") ? put("") : open();
  });
  channel.onmessage = ({ data }) => data !== key() && refresh();
  addEventListener("pageshow", ({ persisted }) => persisted && refresh());

  w.consent = {
    get: (purpose, service) => (purpose ? allows(purpose, service) : state),
    set, open, ready,
    onChange: (listener) => (listeners.add(listener), () => listeners.delete(listener)),
  };
  tell("default");
  new MutationObserver(gates).observe(root, { childList: true, subtree: true });
  const begin = () => {
    const unsent = localStorage.getItem(UNSENT);
    const banner = $(".consent:not(.saved)");
    if (state) {
      expire(state.forget);
      gates();
      arrived(state);
      channel.postMessage(key());
      // Whoever lands in the middle of a page would not see what is at its top.
      if (banner && scrollY > banner.offsetHeight) banner.classList.add("pinned", "top"), (room = banner.offsetHeight), pin(banner);
      if (state.post_signal) fetch(new URL("consent/choice/?" + query, home), { method: "POST", body: new URLSearchParams({ answer: "signal" }), redirect: "manual" });
    }
    if (!state || (navigator["globalPrivacyControl"] && !state.signals.gpc)) refresh();
    if (unsent) send(JSON.parse(unsent)).catch(() => {});
  };
  document.readyState === "loading" ? addEventListener("DOMContentLoaded", begin) : begin();
})();
