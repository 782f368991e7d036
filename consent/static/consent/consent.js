// Holds back what the visitor has not allowed; how to use it: docs/client.md.
// The source: pages get consent.min.js, which `make client` makes of it.
// @ts-check
(() => {
  "use strict";
  const w = /** @type {any} */ (window), nav = navigator, root = document.documentElement;
  if (w.consent?.ready) return; // twice on one page is once
  const script = /** @type {any} */ (document.currentScript || document.querySelector("script[data-consent-script], script[src*='consent']"));
  const { base, query = "", site = "", edge = "bottom", state: given } = script?.dataset || {};
  // The server's own pages name its address; elsewhere it is where the script comes from.
  const home = new URL(base || ".", base ? location.href : script?.src || location.href);
  const BANNER = "[data-consent-notice]", OWN = "[data-consent-own]", GATED = "[data-consent-gated]", UNSENT = "consent-unsent";
  const MARKETING = "marketing";

  /** @type {import("./consent").Told | null} */
  let state = null;
  const listeners = new Set();
  const ran = []; // purpose and service of what cannot be taken out of the page again
  const boxes = new WeakMap(); // what stands in the place of what is held back
  let arrived;
  const ready = new Promise((done) => (arrived = done));

  const safely = (work) => {
    try {
      return work();
    } catch (error) {
      console.warn(error);
    }
  };
  const find = (selector, within = document) => /** @type {any} */ (within.querySelector(selector));
  const all = (selector) => /** @type {any} */ (document.querySelectorAll(selector));
  const make = (tag) => /** @type {any} */ (document.createElement(tag));
  const has = (object, name) => object && Object.hasOwn(object, name);
  const map = (object, change) => Object.fromEntries(Object.entries(object || {}).map(([name, value]) => [name, change(name, value)]));
  const only = (object, test) => Object.fromEntries(Object.entries(object || {}).filter(([name, value]) => test(value, name)));
  const signal = () => nav.globalPrivacyControl === true;

  // May it run right now? Nothing but a plain yes is one. A service speaks for itself
  // within its own purpose alone; a purpose whose services were answered one by one runs
  // as a whole only where none was refused.
  const allows = (purpose, service, now = state) => {
    if (purpose === "necessary") return true;
    if (!now || !has(now.purposes, purpose)) return false;
    if (service && has(now.held.services, service) && now.held.services[service].purpose == purpose)
      return (has(now.services, service) ? now.services[service] : now.purposes[purpose]) === true;
    return now.purposes[purpose] === true && !now.partly.includes(purpose);
  };
  const key = () => JSON.stringify(state && [state.purposes, state.services, state.choice?.at]);

  // --- Other tools of a page: Google Consent Mode, Microsoft UET and Clarity ----------
  const MODES = /** @type {any} */ ({ security_storage: "granted" });
  for (const name of ["ad_storage", "ad_user_data", "ad_personalization", "analytics_storage", "functionality_storage", "personalization_storage"]) MODES[name] = "denied";
  const queue = (name) => (w[name] ||= []);
  function gtag(..._) { queue("dataLayer").push(arguments); }
  const tell = (kind) => safely(() => {
    const mode = { ...MODES, ...state?.consent_mode };
    gtag("consent", kind, state ? mode : { ...mode, wait_for_update: 500 });
    queue("uetq").push("consent", kind, { ad_storage: mode.ad_storage });
    w.clarity ||= function () { (w.clarity.q ||= []).push(arguments); };
    w.clarity("consentv2", { ad_Storage: mode.ad_storage, analytics_Storage: mode.analytics_storage });
    queue("dataLayer").push({ event: "consent_" + kind, consent: { ...state?.purposes } });
  });

  // --- Refusals that are not delivered yet ---------------------------------------------
  // They count at once, on every page, until they were; only refusals are ever kept. Each
  // has the time it was given at, so that no older answer ends it. `over` is the choice
  // that they were given over: who says yes elsewhere afterwards ends them.
  let kept = /** @type {any} */ (null); // where the browser keeps nothing for us
  const sound = (one) => (one?.purposes && one.services ? one : null);
  const unsent = () => {
    try {
      return sound(JSON.parse(localStorage.getItem(UNSENT))) ?? kept;
    } catch {
      return kept;
    }
  };
  const keep = (/** @type {any} */ refused) => {
    const some = Object.keys({ ...refused.purposes, ...refused.services }).length ? refused : null;
    try {
      some ? localStorage.setItem(UNSENT, JSON.stringify(some)) : localStorage.removeItem(UNSENT);
      kept = null;
    } catch {
      kept = some;
    }
  };
  const mark = (now) => JSON.stringify(now?.choice && [now.choice.at, now.choice.purposes]);
  const no = (value) => value === false;
  /** Keep the refusals within an answer; what is left out of a whole one is refused. */
  const keepRefusals = ({ purposes, services, partial, notice, ...rest }, at) => {
    const more = unsent(), time = (found) => map(only(found, no), () => at);
    const left = partial || notice ? {} : map(state.held.purposes, (name) => purposes[name] === true);
    keep({
      ...rest,
      notice: more ? undefined : notice,
      // Behind an answer that is on its way, what it was given over is not known.
      over: pending ? "" : mark(state),
      purposes: { ...more?.purposes, ...time({ ...left, ...purposes }) },
      services: { ...more?.services, ...time(services) },
    });
  };
  /** What is known, less what was refused and not delivered yet. */
  const less = (/** @type {any} */ now) => {
    let more = unsent();
    if (!now || !more) return now;
    if (more.over && more.over != mark(now)) {
      const yes = (name) => now.choice?.purposes[name] === true;
      more = { ...more, over: mark(now), purposes: only(more.purposes, (_, name) => !yes(name)), services: only(more.services, (_, name) => !(yes(now.held.services[name]?.purpose) && now.choice.services[name] !== false)) };
      keep(more);
    }
    const off = (name) => has(more.purposes, name), about = (name) => now.held.services[name];
    const purposes = map(now.purposes, (name, on) => on && !off(name));
    const services = map({ ...now.services, ...map(more.services, () => false) }, (name, on) => on && !off(about(name)?.purpose));
    const partly = [...now.partly, ...Object.keys(more.services).filter((name) => about(name)?.each).map((name) => about(name).purpose)];
    const some = Object.keys({ ...more.purposes, ...more.services }).length;
    return { ...now, purposes, services, partly, consent_mode: some ? {} : now.consent_mode };
  };

  // --- The backend --------------------------------------------------------------------
  const ask = async (path, body, more) => {
    const url = new URL(path, home);
    const words = { script: 1, language: root.lang, edge, site, gpc: +signal(), ...more };
    url.search = query;
    for (const name in words) if (words[name]) url.searchParams.set(name, words[name]);
    const own = site && document.cookie.match(/(?:^|; )consent=([^;]*)/)?.[1];
    const answer = await fetch(url, {
      method: body ? "POST" : "GET",
      body: body && JSON.stringify(body),
      headers: { ...(body && { "Content-Type": "application/json" }), ...(own && { "Consent-Cookie": own }) },
      credentials: site ? "omit" : "include",
      keepalive: !!body,
    });
    if (!answer.ok) throw answer;
    const found = await answer.json();
    if (found.cookie) document.cookie = `consent=${found.cookie}; path=/; max-age=34560000; samesite=lax` + (location.protocol == "https:" ? "; secure" : "");
    return found;
  };
  let answers = 0; // sent here or in another tab: what was asked before one is out of date
  let line = Promise.resolve(), pending = 0; // answers go one after the other
  const refresh = async () => {
    const then = answers;
    const found = await ask("api/v1/decision").catch(() => null);
    if (then != answers) return; // whoever answered meanwhile asks anew
    if (found || state) apply(found || { ...state, saved: undefined, html: undefined });
    arrived(state);
  };
  const send = (body) => {
    const at = Date.now();
    keepRefusals(body, at);
    return queued(() => deliver(body, at));
  };
  const queued = (work) => {
    pending++;
    const sent = line.then(work), done = () => void pending--;
    line = sent.then(done, done);
    return sent;
  };
  /** What was not delivered, as an answer of its own; made when its turn has come. */
  const resend = () => {
    const more = unsent();
    if (!more) return state;
    const { over, purposes, services, ...rest } = more;
    return deliver({ ...rest, partial: true, purposes: map(purposes, () => false), services: map(services, () => false) }, Date.now(), true);
  };
  const deliver = async (body, at, late) => {
    answers++;
    let found;
    try {
      found = await ask("api/v1/choices", body);
    } catch (error) {
      answers++;
      const changed = error.status == 409 || error.status == 422, more = unsent();
      // What was asked is not what is asked now: what of it is left is said plainly.
      if (changed && more)
        keep({ ...more, notice: undefined, surface: "api", policy_version: state.policy.version, purposes: only(more.purposes, (_, name) => has(state.held.purposes, name)), services: only(more.services, (_, name) => has(state.held.services, name)) });
      const grants = [body.purposes, body.services].some((said) => Object.values(said).includes(true));
      if (changed) await refresh();
      else apply({ ...state, saved: undefined, html: grants || late ? undefined : "" });
      again();
      throw error;
    }
    answers++;
    const more = unsent();
    if (more) {
      const answered = (name) => has(body.purposes, name) || !(body.partial || body.notice);
      const later = (given) => given > at;
      keep({
        ...more,
        over: mark(found.decision),
        purposes: only(more.purposes, (given, name) => later(given) || !answered(name)),
        services: only(more.services, (given, name) => later(given) || !(has(body.services, name) || answered(state.held.services[name]?.purpose))),
      });
    }
    apply({ ...found.decision, saved: late ? undefined : found.saved });
    // What the server had printed meanwhile it now leaves out.
    if (late && find(GATED)) location.reload();
    return state;
  };
  let tries = 0;
  const again = () => {
    if (unsent() && tries < 4) setTimeout(() => queued(resend).catch(() => {}), 500 * 4 ** tries++);
  };
  const set = async (purposes, { services = {}, partial = true, surface = "api", notice } = /** @type {any} */ ({})) => {
    await ready;
    if (!state) throw Error("no answer");
    return send({ purposes, services, partial, surface, notice, policy_version: state.policy.version, language: state.language });
  };

  // --- What is held back --------------------------------------------------------------
  const gates = () => {
    for (const held of all("[data-consent]")) {
      const { consent, consentService } = held.dataset;
      safely(() => (allows(consent, consentService) ? show : hide)(held, consent, consentService));
    }
  };
  const show = (held, purpose, service) => {
    boxes.get(held)?.remove();
    if (boxes.delete(held)) held.hidden = false;
    const { src, srcset, type } = held.dataset;
    if (held.localName == "template") {
      ran.push([purpose, service]);
      held.replaceWith(held.content.cloneNode(true));
    } else if (held.localName == "script") {
      const live = make("script");
      for (const { name, value } of held.attributes) if (!/^(type|data-(consent.*|src|type))$/.test(name)) live.setAttribute(name, value);
      live.async = held.hasAttribute("async");
      live.nonce = held.nonce;
      live.text = held.text;
      if (type) live.type = type;
      if (src) live.src = src;
      ran.push([purpose, service]);
      held.replaceWith(live);
    } else {
      if (srcset) held.srcset = srcset;
      if (src && held.getAttribute("src") != src) held.src = src;
    }
  };
  const hide = (held, purpose, service) => {
    if (held.localName == "script") return;
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
    const words = state?.held;
    if (!box || box.lang || !words || !has(words.purposes, purpose)) return;
    // A service is offered alone only where the policy asks about each.
    const alone = has(words.services, service) && words.services[service].each;
    const named = has(words.services, service) ? words.services[service].name : words.purposes[purpose];
    const text = make("p"), button = make("button");
    box.append(text, button);
    Object.assign(box, { lang: state.language, dir: words.dir });
    text.textContent = words.text.replace("{name}", named);
    button.textContent = words.allow.replace("{name}", alone ? named : words.purposes[purpose]);
    // Over the browser's signal nothing is allowed but where that is said.
    button.onclick = () =>
      purpose == MARKETING && state.signals.applied.length
        ? open()
        : allow(purpose, alone && service).catch(() => (text.textContent = words.failed));
  };
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

  // --- The banner: one section, first in the body, in the flow or pinned to an edge ----
  const markup = safely(() => w.trustedTypes?.createPolicy("consent", { createHTML: (text) => text }));
  const fill = (element, text) => (element.innerHTML = markup ? markup.createHTML(text) : text);
  // Nothing moves, and what a pinned banner covers can be scrolled into view.
  const still = (change) => {
    const mark = [...document.body.children].find((one) => !one.matches(BANNER)) || root;
    const at = () => mark.getBoundingClientRect().top;
    const before = at(), pinned = find(".pinned.top" + BANNER), section = change(), { style } = root;
    const room = (side) => (section?.matches(side) ? section.offsetHeight + "px" : "");
    style.scrollPaddingTop = style.paddingTop = room(".top");
    style.scrollPaddingBottom = style.paddingBottom = room(".bottom");
    if (pinned || find(".pinned.top" + BANNER)) scrollBy({ top: at() - before, behavior: "instant" });
    return section;
  };
  const put = (text) => {
    const old = find(BANNER), held = make("template");
    fill(held, text || "");
    const section = held.content.firstElementChild;
    const placed = still(() => {
      old ? old.replaceWith(section || "") : section && document.body.prepend(section);
      return section;
    });
    lead();
    return placed;
  };
  const lead = () => {
    for (const link of all(`${BANNER} a, ${OWN} a`)) link.href = link.href.replace("%7Bhere%7D", encodeURIComponent(location.href));
  };
  const draw = (/** @type {any} */ { html, banner, saved, footer }) => {
    const own = find(OWN);
    if (own && footer !== undefined) fill(own, footer);
    if (saved) put(saved).focus();
    else if (html !== undefined || banner == "none") put(html);
    else lead();
  };
  const apply = (next) => {
    const before = state, had = key();
    state = less(next);
    safely(() => expire(state.forget));
    gates();
    const changed = !before || had != key();
    if (changed) {
      tell("update");
      for (const listener of listeners) safely(() => listener(state, before));
      channel?.postMessage(key());
    }
    // What has run ends only with the page.
    const ends = (purpose, service) => allows(purpose, service, before) && !allows(purpose, service);
    const { purposes, services } = state.held;
    const ended = before && (Object.keys(purposes).some((name) => ends(name)) || Object.keys(services).some((name) => ends(services[name].purpose, name)));
    // Where a refusal can be kept nowhere, a new page would not know of it.
    if (!kept && (ran.some((one) => !allows(...one)) || (changed && ended && find(GATED)))) location.reload();
    else safely(() => draw(state));
  };
  const answer = async (form, { value }) => {
    const chosen = form.closest(".choose"), said = new FormData(form), save = value == "save", yes = value == "accept", services = {};
    for (const { name } of save ? form.querySelectorAll("[name^=service-]") : []) services[name.slice(8)] = said.get(name) == "yes";
    const some = (purpose) => Object.keys(services).some((name) => services[name] && state.held.services[name].purpose == purpose);
    // Allowing all leaves out what the browser's signal is about.
    const names = (chosen ? Object.keys(state.held.purposes) : state.notice.asks).filter((name) => !(chosen && yes && name == MARKETING && state.signals.applied.length));
    const purposes = Object.fromEntries(names.map((name) => [name, save ? some(name) || said.get("purpose-" + name) == "yes" : yes]));
    try {
      await set(purposes, { services, partial: !!chosen && yes, surface: chosen ? "preferences" : "banner", notice: chosen ? undefined : state.notice.hash });
    } catch {
      const shown = find(BANNER + " form");
      if (!shown) return;
      const text = find("[role=alert]", shown) || make("p");
      text.setAttribute("role", "alert");
      text.textContent = state.held.failed;
      shown.prepend(text);
    }
  };
  const open = async () => {
    const page = new URL(`cookie-preferences/?${query && query + "&"}return_to=${encodeURIComponent(location.href)}`, home);
    if (!site) return location.assign(page);
    try {
      put((await ask("api/v1/decision", null, { choose: 1 })).html).focus();
    } catch {
      location.assign(page);
    }
  };

  // --- Beginning ----------------------------------------------------------------------
  const channel = safely(() => new BroadcastChannel("consent"));
  if (channel)
    channel.onmessage = ({ data }) => {
      if (data == key()) return;
      answers++;
      refresh();
    };
  state = less(safely(() => given && JSON.parse(given)) || null);
  const unheard = state && signal() && !state.signals.gpc;
  if (unheard) {
    // An extension may set the property without the header.
    state.purposes[MARKETING] = false;
    for (const name in MODES) if (/^ad/.test(name)) state.consent_mode[name] = "denied";
  }
  tell("default");
  w.consent = {
    get: (purpose, service) => (purpose ? allows(purpose, service) : state),
    set,
    open,
    ready,
    onChange: (listener) => (listeners.add(listener), () => listeners.delete(listener)),
  };
  addEventListener("submit", (event) => {
    const { target, submitter } = /** @type {any} */ (event);
    // What the server holds back, the server has to make anew.
    if (!target.closest(BANNER) || submitter?.name != "answer" || !state || find(GATED)) return;
    event.preventDefault();
    answer(target, submitter);
  });
  addEventListener("click", (event) => {
    const within = (selector) => /** @type {any} */ (event.target).closest?.(selector);
    const away = within(BANNER + ":is(.saved, .choose) a.button");
    // A page of another site would find nothing of its visitor's on a page of ours.
    if (!away && !within("[data-consent-open]" + (given ? ":not(a)" : site && `, :is(${BANNER}, ${OWN}) a[href*=return_to]`))) return;
    event.preventDefault();
    away ? put(away.closest(".choose") ? state?.html : "") : open();
  });
  addEventListener("pageshow", ({ persisted }) => persisted && refresh());
  const late = () => {
    // Whoever lands in the middle of a page would not see what stands at its top.
    const banner = find(BANNER + ":not(.pinned, .saved)");
    if (!banner || scrollY < banner.offsetHeight) return;
    banner.classList.add("stuck");
    root.style.scrollPaddingTop = banner.offsetHeight + "px";
  };
  const begin = () => {
    gates();
    if (state) {
      safely(() => expire(state.forget));
      arrived(state);
      channel?.postMessage(key());
      if (state.post_signal) fetch(new URL("consent/choice/?" + query, home), { method: "POST", body: new URLSearchParams({ answer: "signal" }) }).catch(() => {});
    }
    const here = new URL(location.href);
    if (unheard && find(GATED) && !here.searchParams.has("gpc")) {
      // Only the server can take out what it put in.
      here.searchParams.set("gpc", "1");
      return location.replace(here);
    }
    if (!state || unheard) refresh();
    ready.then(again);
  };
  let due = 0;
  new MutationObserver(() => (due ||= requestAnimationFrame(() => ((due = 0), gates())))).observe(root, { childList: true, subtree: true });
  document.readyState == "loading" ? addEventListener("DOMContentLoaded", begin) : begin();
  document.readyState == "complete" ? late() : addEventListener("load", late);
})();
