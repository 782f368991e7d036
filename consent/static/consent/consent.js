// @ts-check - what it does, and why: docs/client.md
(() => {
  "use strict";
  const script = /** @type {any} */ (document.currentScript);
  const { base = ".", query = "", site = "", edge = "bottom", state: given } = script.dataset;
  const home = new URL(base, script.src);
  const root = document.documentElement;
  const w = /** @type {any} */ (window), nav = navigator;
  const UNSENT = "consent-unsent", OWN = "[data-consent-own]", GATED = "[data-consent-gated]";

  /** @type {import("./consent").Told | null} */
  let state = given ? JSON.parse(given) : null;
  const listeners = new Set();
  const ran = [];
  const boxes = new WeakMap();
  const channel = new BroadcastChannel("consent");
  let arrived;
  const ready = new Promise((done) => (arrived = done));

  const find = (selector, within = document) => /** @type {any} */ (within.querySelector(selector));
  const all = (selector) => /** @type {any} */ (document.querySelectorAll(selector));
  const make = (tag) => /** @type {any} */ (document.createElement(tag));
  const map = (object, change) => Object.fromEntries(Object.entries(object || {}).map(([name, value]) => [name, change(name, value)]));
  const allows = (purpose, service, now = state) => now?.services[service] ?? now?.purposes[purpose] ?? purpose === "necessary";
  const key = () => JSON.stringify([state?.purposes, state?.services, state?.choice?.at]);

  const queue = (name) => (w[name] ||= []);
  function gtag(..._) { queue("dataLayer").push(arguments); }
  w.clarity ||= function () { (w.clarity.q ||= []).push(arguments); };
  const tell = (kind) => {
    const mode = { ...MODES, ...state?.consent_mode };
    gtag("consent", kind, state ? mode : { ...mode, wait_for_update: 500 });
    queue("uetq").push("consent", kind, { ad_storage: mode.ad_storage });
    w.clarity("consentv2", { ad_Storage: mode.ad_storage, analytics_Storage: mode.analytics_storage });
    queue("dataLayer").push({ event: "consent_" + kind, consent: { ...state?.purposes } });
  };
  const MODES = /** @type {any} */ ({ security_storage: "granted" });
  for (const name of ["ad_storage", "ad_user_data", "ad_personalization", "analytics_storage", "functionality_storage", "personalization_storage"]) MODES[name] = "denied";

  const ask = async (path, body, more) => {
    const url = new URL(path, home);
    const words = { script: 1, language: root.lang, edge, site, gpc: +!!nav.globalPrivacyControl, ...more };
    url.search = query;
    for (const name in words) if (words[name]) url.searchParams.set(name, words[name]);
    const kept = site && document.cookie.match(/(?:^|; )consent=([^;]*)/)?.[1];
    const answer = await fetch(url, {
      method: body ? "POST" : "GET",
      body: body && JSON.stringify(body),
      headers: { ...(body && { "Content-Type": "application/json" }), ...(kept && { "Consent-Cookie": kept }) },
      credentials: site ? "omit" : "include",
      keepalive: !!body,
    });
    if (!answer.ok) throw answer;
    const found = await answer.json();
    if (found.cookie) document.cookie = `consent=${found.cookie}; path=/; max-age=34560000; samesite=lax` + (location.protocol == "https:" ? "; secure" : "");
    return found;
  };
  const refresh = () => ask("api/v1/decision").then(apply, () => {}).then(() => arrived(state));
  const send = async (body, tries = 3) => {
    try {
      const { decision, saved } = await ask("api/v1/choices", body);
      localStorage.removeItem(UNSENT);
      apply({ ...decision, saved });
    } catch (error) {
      const grants = [body.purposes, body.services].some((said) => Object.values(said).includes(true));
      if (grants || (error.status < 500 && error.status != 429)) throw error;
      // A refusal counts at once, and is sent again: soon, and on the next page.
      localStorage.setItem(UNSENT, JSON.stringify(body));
      refuse(body);
      if (!tries) throw error;
      await new Promise((done) => setTimeout(done, 500 * 4 ** (3 - tries)));
      await send(body, tries - 1);
    }
    return state;
  };
  const refuse = ({ purposes, services, partial }) => {
    if (!state) return;
    const keeps = (name) => name == "necessary" || (purposes[name] ?? partial);
    const on = map(state.purposes, (name, now) => now && keeps(name));
    const alone = map(state.services, (name, now) => now && services[name] !== false && keeps(state.held.services[name]?.purpose));
    apply({ ...state, purposes: on, services: alone, consent_mode: {}, html: "" });
  };
  const set = (purposes, { services = {}, partial = true, surface = "api", notice } = /** @type {any} */ ({})) =>
    send({ purposes, services, partial, surface, notice, policy_version: state.policy.version, language: state.language });

  const gates = () => {
    for (const held of all("[data-consent]")) {
      const { consent, consentService } = held.dataset;
      (allows(consent, consentService) ? show : hide)(held, consent, consentService);
    }
  };
  const show = (held, purpose, service) => {
    boxes.get(held)?.remove();
    if (boxes.delete(held)) held.hidden = false;
    const { src, srcset, type } = held.dataset;
    if (held.content) held.replaceWith(held.content.cloneNode(true));
    else if (held.text === undefined) {
      if (srcset) held.srcset = srcset;
      if (src && held.getAttribute("src") != src) held.src = src;
    } else {
      const live = make("script");
      for (const { name, value } of held.attributes) if (!/^(type|data-(consent.*|src|type))$/.test(name)) live.setAttribute(name, value);
      live.async = held.hasAttribute("async");
      live.nonce = held.nonce;
      live.text = held.text;
      if (type) live.type = type;
      if (src) live.src = src;
      ran.push([purpose, service]);
      held.replaceWith(live);
    }
  };
  const hide = (held, purpose, service) => {
    if (held.text !== undefined) return;
    let box = boxes.get(held);
    if (held.dataset.src) for (const name of ["src", "srcset"]) held.removeAttribute(name);
    if (!box && !held.hidden && held.getAttribute("width") != 1) {
      box = make("div");
      box.className = "consent-placeholder";
      for (const side of ["width", "height"]) if (held[side] > 0) box.style[side] = held[side] + "px";
      boxes.set(held, box);
      held.before(box);
      held.hidden = true;
    }
    const words = state?.held, name = words?.services[service]?.name || words?.purposes[purpose];
    if (!box || !name || box.lang) return;
    const text = make("p"), button = make("button");
    box.append(text, button);
    box.lang = state.language;
    text.textContent = words.text.replace("{name}", name);
    button.textContent = words.allow.replace("{name}", name);
    button.onclick = () => allow(purpose, service).catch(() => (text.textContent = words.failed));
  };
  // One service is allowed beside those of its purpose that run already.
  const allow = (purpose, service) => {
    const services = {};
    for (const name in service && state.held.services) if (state.held.services[name].purpose == purpose) services[name] = name == service || allows(purpose, name);
    return set({ [purpose]: true }, { services });
  };
  const expire = (names) => {
    const shapes = names.map((name) => RegExp("^" + name.replace(/[^*\w]/g, "\\$&").replace(/\*/g, ".*") + "$"));
    const labels = location.hostname.split("."), paths = location.pathname.split("/").map((_, at, parts) => parts.slice(0, at + 1).join("/") || "/");
    for (const name of document.cookie.split("; ").map((pair) => pair.split("=")[0]))
      if (shapes.some((shape) => shape.test(name)))
        for (const path of paths)
          for (let at = 0; at <= labels.length; at++) document.cookie = `${name}=; max-age=0; path=${path}` + (labels[at] ? "; domain=" + labels.slice(at).join(".") : "");
  };

  // Nothing moves, and what a pinned banner covers can be scrolled into view.
  const still = (change) => {
    const mark = [...document.body.children].find((one) => !one.matches(".consent")) || root;
    const at = () => mark.getBoundingClientRect().top;
    const before = at(), pinned = find(".pinned.top"), section = change(), { style } = root;
    const room = (edge) => (section?.matches(edge) ? section.offsetHeight + "px" : "");
    style.scrollPaddingTop = style.paddingTop = room(".top");
    style.scrollPaddingBottom = style.paddingBottom = room(".bottom");
    if (pinned || find(".pinned.top")) scrollBy({ top: at() - before, behavior: "instant" });
    return section;
  };
  const put = (html) => {
    const old = find(".consent");
    const held = make("template");
    held.innerHTML = html || "";
    const section = held.content.firstElementChild;
    return still(() => {
      old ? old.replaceWith(section || "") : section && document.body.prepend(section);
      return section;
    });
  };
  const apply = (next) => {
    const before = state, had = key();
    state = next;
    expire(next.forget);
    const { html = next.banner == "none" ? "" : undefined, saved, footer } = next;
    if (saved || html !== undefined) put(saved || html);
    if (saved) find(".consent").focus();
    const own = find(OWN);
    if (own && footer !== undefined) own.innerHTML = footer;
    for (const link of all(".consent a, " + OWN + " a")) link.href = link.href.replace("%7Bhere%7D", encodeURIComponent(location.href));
    gates();
    if (before && had == key()) return;
    tell("update");
    for (const listener of listeners) listener(state, before);
    channel.postMessage(key());
    // What has run ends only with the page.
    const ended = before && Object.keys(next.purposes).some((name) => before.purposes[name] && !next.purposes[name]);
    if (ran.some((one) => !allows(...one)) || (ended && find(GATED))) location.reload();
  };
  const answer = async (form, { value }) => {
    const chosen = form.closest(".choose"), said = new FormData(form);
    const names = chosen ? Object.keys(state.held.purposes) : state.notice.asks;
    const purposes = Object.fromEntries(names.map((name) => [name, value == "save" ? said.get("purpose-" + name) == "yes" : value == "accept"]));
    try {
      await set(purposes, chosen ? { partial: false, surface: "preferences" } : { partial: false, surface: "banner", notice: state.notice.hash });
    } catch {
      const text = find("[role=alert]", form) || make("p");
      text.setAttribute("role", "alert");
      text.textContent = state.held.failed;
      form.prepend(text);
    }
  };
  const open = async () => {
    if (site) put((await ask("api/v1/decision", null, { choose: 1 })).html).focus();
    else location.assign(new URL(`cookie-preferences/?${query && query + "&"}return_to=${encodeURIComponent(location.href)}`, home));
  };

  addEventListener("submit", (event) => {
    const { target, submitter } = /** @type {any} */ (event);
    // What the server holds back, the server has to make anew.
    if (!target.closest(".consent") || !state?.held || !submitter?.value || find(GATED)) return;
    event.preventDefault();
    answer(target, submitter);
  });
  addEventListener("click", (event) => {
    const link = /** @type {any} */ (event.target).closest?.(".saved .button, [data-consent-open]" + (given ? ":not(a)" : site && ", .consent .acts a"));
    if (!link) return;
    event.preventDefault();
    link.matches(".saved .button") ? put("") : open();
  });
  addEventListener("pageshow", ({ persisted }) => persisted && refresh());
  channel.onmessage = ({ data }) => data != key() && refresh();
  addEventListener("load", () => {
    const banner = find(".consent:not(.pinned, .saved)");
    if (!banner || scrollY < banner.offsetHeight) return;
    banner.classList.add("stuck");
    root.style.scrollPaddingTop = banner.offsetHeight + "px";
  });
  addEventListener("DOMContentLoaded", () => {
    gates();
    if (state) {
      expire(state.forget);
      arrived(state);
      channel.postMessage(key());
      if (state.post_signal) fetch(new URL("consent/choice/?" + query, home), { method: "POST", body: new URLSearchParams({ answer: "signal" }) });
    }
    if (!state || (nav.globalPrivacyControl && !state.signals.gpc)) refresh();
    const unsent = localStorage.getItem(UNSENT);
    if (unsent) ready.then(() => send(JSON.parse(unsent))).catch(() => {});
  });

  w.consent = {
    get: (purpose, service) => (purpose ? allows(purpose, service) : state),
    set,
    open,
    ready,
    onChange: (listener) => (listeners.add(listener), () => listeners.delete(listener)),
  };
  if (state && nav.globalPrivacyControl && !state.signals.gpc) {
    // An extension may set the property without the header.
    state.purposes.marketing = false;
    for (const name in MODES) if (/^ad/.test(name)) state.consent_mode[name] = "denied";
  }
  tell("default");
  new MutationObserver(gates).observe(root, { childList: true, subtree: true });
})();
