"use strict";
(() => {
  const page = document.body, news = document.getElementById("news");
  const isLive = "live" in page.dataset;
  const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const MOST_AT_ONCE = 40;  // a browser has so many players, and not many more
  const DRIFT_S = 0.12, HOVER_MS = 180, WAIT_MS = 4000, AGAIN_MS = 3000;
  const all = (what, within = document) => [...within.querySelectorAll(what)];
  const takes = all(".take");
  const head = document.querySelector("header");
  const measure = () => document.documentElement.style.setProperty("--head", `${head.offsetHeight}px`);
  new ResizeObserver(measure).observe(head);  // what stays in view begins below it

  // ------------------------------------------------------------------------------------------------------- playing
  let playing = [];       // what runs together; the first leads
  let lead = null;        // what is heard, where sound is on
  let withSound = false;

  const cardOf = (media) => media.closest(".take");
  const button = (media) => cardOf(media).querySelector(".play");

  function mark(media, on) {
    cardOf(media).classList.toggle("playing", on);
    button(media).setAttribute("aria-pressed", String(on));
  }

  function hear() {
    for (const media of playing)
      if (media.tagName === "VIDEO") media.muted = !(withSound && media === lead);
  }

  function stop() {
    for (const media of playing) { media.pause(); mark(media, false); }
    playing = [];
    document.getElementById("play-all").setAttribute("aria-pressed", "false");
  }

  function near(list) {
    if (list.length <= MOST_AT_ONCE) return list;
    const seen = ({ top, bottom }) => bottom > 0 && top < innerHeight;
    return list.filter((media) => seen(media.getBoundingClientRect())).slice(0, MOST_AT_ONCE);
  }

  function ready(media) {
    if (media.readyState >= 3) return Promise.resolve();
    media.preload = "auto";
    return new Promise((done) => {
      media.addEventListener("canplay", done, { once: true });
      media.addEventListener("error", done, { once: true });
      setTimeout(done, WAIT_MS);
      if (media.readyState === 0) media.load();
    });
  }

  async function play(list, { from = null } = {}) {
    stop();
    const mine = playing = list.filter((media) => !media.error);
    lead = mine[0] ?? null;
    hear();
    for (const media of mine) mark(media, true);
    await Promise.all(mine.map(ready));
    if (playing !== mine) return;
    for (const media of mine) {
      if (from !== null && media.duration) media.currentTime = from % media.duration;
      media.play().catch(() => mark(media, false));
    }
    requestAnimationFrame(tick);
  }

  function tick() {
    if (!playing.length) return;
    const [first, ...others] = playing;
    for (const media of others) {
      if (!media.duration || media.seeking || first.seeking) continue;
      const wanted = first.currentTime % media.duration;
      const off = Math.abs(media.currentTime - wanted);
      if (Math.min(off, media.duration - off) > DRIFT_S) media.currentTime = wanted;
    }
    for (const media of playing) show(media);
    requestAnimationFrame(tick);
  }

  function show(media) {
    const seek = cardOf(media).querySelector(".seek");
    if (media.duration && document.activeElement !== seek) seek.value = 1000 * media.currentTime / media.duration;
  }

  function toggle(card) {
    const media = card.querySelector("video, audio");
    if (!media) return;
    if (playing.includes(media)) stop(); else play([media]);
  }

  function playAll() {
    const control = document.getElementById("play-all");
    if (control.getAttribute("aria-pressed") === "true") return stop();
    play(near(all("video")), { from: 0 });
    control.setAttribute("aria-pressed", "true");
  }

  function toggleSound() {
    withSound = !withSound;
    document.getElementById("sound").setAttribute("aria-pressed", String(withSound));
    hear();
  }

  for (const media of all("video, audio")) {
    const card = cardOf(media), seek = card.querySelector(".seek");
    button(media).addEventListener("click", () => toggle(card));
    if (media.tagName === "VIDEO") media.addEventListener("click", () => toggle(card));
    media.addEventListener("ended", () => { if (playing.includes(media)) stop(); });
    seek.addEventListener("input", async () => {
      await ready(media);
      if (media.duration) media.currentTime = seek.value / 1000 * media.duration;
    });
    card.addEventListener("pointerenter", () => { if (playing.includes(media)) { lead = media; hear(); } });
  }

  for (const row of all(".takes")) {  // takes of one step run together under the pointer
    let soon = 0, mine = null;
    row.addEventListener("pointerenter", (event) => {
      const videos = all("video", row);
      if (event.pointerType !== "mouse" || isStill || playing.length || !videos.length) return;
      soon = setTimeout(() => { if (!playing.length) { play(near(videos), { from: 0 }); mine = playing; } }, HOVER_MS);
    });
    row.addEventListener("pointerleave", () => {
      clearTimeout(soon);
      if (mine && playing === mine) stop();
      mine = null;
    });
  }
  document.getElementById("play-all").addEventListener("click", playAll);
  document.getElementById("sound").addEventListener("click", toggleSound);

  // ------------------------------------------------------------------------------------------------------ keyboard
  let current = takes[0] ?? null;
  if (current) current.tabIndex = 0;

  function focus(card) {
    if (!card) return;
    card.focus();
    card.scrollIntoView({ block: "nearest", behavior: isStill ? "auto" : "smooth" });
  }
  for (const card of takes)
    card.addEventListener("focusin", () => {
      if (current) current.tabIndex = -1;
      current = card;
      card.tabIndex = 0;
    });

  const inRow = (card) => all(".take", card.closest(".takes"));

  function move(key) {
    if (!document.activeElement?.closest(".take")) return focus(current);
    const row = inRow(current), at = row.indexOf(current);
    if (key === "ArrowLeft") return focus(row[at - 1]);
    if (key === "ArrowRight") return focus(row[at + 1]);
    const rows = all(".takes"), next = rows.indexOf(current.closest(".takes")) + (key === "ArrowUp" ? -1 : 1);
    if (rows[next]) focus(all(".take", rows[next])[Math.min(at, all(".take", rows[next]).length - 1)]);
  }

  document.addEventListener("keydown", (event) => {
    const target = event.target, key = event.key;
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input, .strip")) return;
    if (key.startsWith("Arrow") && takes.length) { event.preventDefault(); return move(key); }
    if (key === " " && !target.closest("button, a, summary")) {
      event.preventDefault();
      return target.closest(".take") ? toggle(current) : playAll();
    }
    if (key === "f" && current) {
      const shown = current.querySelector("video, img");
      return document.fullscreenElement ? document.exitFullscreen() : shown?.requestFullscreen();
    }
    if (/^[1-9]$/.test(key) && current) {
      const card = inRow(current).find((one) => one.dataset.take === key);
      if (card) { focus(card); pick(card); }
    }
  });

  // ------------------------------------------------------------------------------------------------------- picking
  let hush = 0;
  function say(words, action) {
    clearTimeout(hush);
    news.replaceChildren(words);
    if (action) news.append(action);
    else hush = setTimeout(() => news.replaceChildren(), 6000);
  }

  async function pick(card) {
    if (!isLive) return say("This page is a copy. To pick on it: aggregator sheet " + page.dataset.run + " --serve");
    if (!card.querySelector("button.pick")) return say("There is nothing to choose here.");
    const { step, take } = card.dataset;
    try {
      const answer = await fetch("/picks", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ step, take: Number(take) }),
      });
      const told = await answer.json();
      if (!answer.ok) return say(told.error);
      apply(told);
      say(`${step}: take ${take} is picked. Run it again to go on.`);
    } catch {
      say("The pick was not written: the server does not answer. Start aggregator sheet --serve again.");
    }
  }

  function apply(told) {
    page.dataset.version = told.version;
    document.getElementById("state").textContent = told.state;
    for (const [name, { picked, chip }] of Object.entries(told.steps)) {
      const row = document.getElementById("step-" + name);
      if (!row) continue;
      const shown = row.querySelector(".chip");
      if (shown) {
        shown.className = "chip " + chip.state;
        shown.textContent = chip.text;
        shown.hidden = chip.state === "made";
      }
      for (const card of all(".take", row)) {
        const control = card.querySelector("button.pick"), on = Number(card.dataset.take) === picked;
        if (!control) continue;
        card.classList.toggle("picked", on);
        control.setAttribute("aria-pressed", String(on));
        control.textContent = on ? "Picked" : "Pick";
      }
    }
    if (told.shape !== page.dataset.shape) {
      const again = document.createElement("button");
      again.textContent = "Show";
      again.addEventListener("click", () => location.reload());
      say("The run went on.", again);
    }
  }

  async function follow() {
    let lost = false;
    for (;;) {
      try {
        const answer = await fetch("/state?seen=" + encodeURIComponent(page.dataset.version));
        if (!answer.ok) throw new Error(answer.statusText);
        const told = await answer.json();
        if (lost) say("The server is back.");
        lost = false;
        if (told.version !== page.dataset.version) apply(told);
      } catch {
        if (!lost) say("The server has ended: picks are not written any more.");
        lost = true;
        await new Promise((done) => setTimeout(done, AGAIN_MS));
      }
    }
  }

  if (isLive) {
    for (const control of all("button.pick")) control.addEventListener("click", () => pick(cardOf(control)));
    follow();
  }
})();
