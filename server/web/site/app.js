// What a page can do beyond its links and forms: follow a job, refresh lists, check a form while it is filled in, draw.
// Every page works without it.
'use strict';

// --- a job that is followed ---

const live = document.getElementById('live');
const announced = document.getElementById('announced');
const STEP = 10; // percent between two announcements to screen readers
let source = null;
let told = '';

function announce() {
  const shown = live.querySelector('.live');
  const percent = Math.floor(Number(shown.dataset.percent) / STEP) * STEP;
  const text = shown.dataset.state + ', ' + percent + ' %';
  if (text !== told) announced.textContent = text;
  told = text;
}

function follow() {
  source = new EventSource(live.dataset.events);
  source.addEventListener('progress', (event) => {
    live.innerHTML = event.data; // made and escaped by the service
    announce();
  });
  source.addEventListener('end', () => {
    source.close();
    location.reload(); // the report, and other buttons
  });
  source.addEventListener('failed', () => source.close());
}

// A browser has few connections to a host: pages that nobody sees keep none.
if (live && live.dataset.events) {
  follow();
  document.addEventListener('visibilitychange', () => {
    source.close();
    if (!document.hidden) follow();
  });
}

// --- lists that change ---

const REFRESH = 5000; // milliseconds
const lists = document.querySelector('[data-refresh]');

async function fetchPart(address, selector) {
  const answer = await fetch(address, {redirect: 'error'});
  if (!answer.ok) return null;
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  return selector ? page.querySelector(selector) : page.body;
}

async function refresh() {
  if (!document.hidden && !lists.contains(document.activeElement)) {
    const fresh = await fetchPart(location.href, '[data-refresh]').catch(() => null);
    if (fresh && !lists.contains(document.activeElement)) lists.replaceChildren(...fresh.childNodes);
  }
  setTimeout(refresh, REFRESH);
}

if (lists) setTimeout(refresh, REFRESH);

// --- the form of a new job ---

const form = document.getElementById('job');
const estimate = document.getElementById('estimate');
const PAUSE = 400; // milliseconds after the last key
const ASKED = ['target', 'budget', 'recipe'];
let pending = 0;
let asked = 0;

async function check() {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (ASKED.includes(name)) query.append(name, value);
  const turn = ++asked;
  const answer = await fetchPart(estimate.dataset.estimate + '?' + query).catch(() => null);
  if (answer && turn === asked) estimate.replaceChildren(...answer.childNodes);
}

if (form && estimate) {
  form.addEventListener('input', (event) => {
    if (!ASKED.includes(event.target.name)) return;
    clearTimeout(pending);
    pending = setTimeout(check, PAUSE);
  });
}

// --- charts of tables ---

const SMALLEST_PART = 1e-6; // of the largest loss, that a chart shows
const charts = document.querySelectorAll('[data-chart-of]');
const CHART = document.currentScript.dataset.chart;

function numberIn(cell) {
  return Number(cell.textContent.replaceAll(',', ''));
}

function draw(place) {
  const table = document.getElementById(place.dataset.chartOf);
  const points = [...table.tBodies[0].rows].map((row) => ({x: numberIn(row.cells[0]), y: numberIn(row.cells[2])}));
  // What leaves everything as it is loses nothing but rounding, which has no place on a logarithmic axis.
  const least = Math.max(...points.map((point) => point.y)) * SMALLEST_PART;
  const titles = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
  const canvas = document.createElement('canvas');
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', table.caption.textContent + '; the table has its numbers');
  place.append(canvas);
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(name).trim();
  const axis = (title, type) => ({type, title: {display: true, text: title, color: color('--dim')},
    ticks: {color: color('--dim')}, grid: {color: color('--line')}});
  const logarithmic = axis(titles[2], 'logarithmic');
  // Powers of ten alone, in few digits.
  logarithmic.ticks.callback = (value) => Number.isInteger(Math.log10(value)) ? value.toExponential(0) : null;
  new Chart(canvas, {
    type: 'line',
    data: {datasets: [{data: points.filter((point) => point.y > least), borderColor: color('--accent'),
      backgroundColor: color('--accent'), pointRadius: 3}]},
    options: {animation: false, responsive: true, maintainAspectRatio: false, plugins: {legend: {display: false}},
      scales: {x: axis(titles[0], 'linear'), y: logarithmic}},
  });
}

if (charts.length) {
  const script = document.createElement('script');
  script.src = CHART;
  script.addEventListener('load', () => charts.forEach((place) => {
    const details = place.closest('details');
    if (!details || details.open) return draw(place);
    details.addEventListener('toggle', () => place.firstChild || draw(place));
  }));
  document.head.append(script);
}
