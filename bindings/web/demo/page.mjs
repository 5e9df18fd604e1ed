// The page: it shows; worker.mjs computes.
const $ = (id) => document.getElementById(id);
const view = $('view');
const context = view.getContext('2d');

const worker = new Worker(new URL('worker.mjs', import.meta.url), { type: 'module' });
const waiting = new Map();
let calls = 0;

function ask(kind, message = {}, transfer = []) {
  return new Promise((resolve, reject) => {
    const id = ++calls;
    waiting.set(id, { resolve, reject });
    worker.postMessage({ id, kind, ...message }, transfer);
  });
}
worker.addEventListener('message', ({ data }) => {
  const { resolve, reject } = waiting.get(data.id);
  waiting.delete(data.id);
  if (data.error === undefined) resolve(data);
  else reject(new Error(data.code ? `${data.code}: ${data.error}` : data.error));
});
worker.addEventListener('error', (event) => fail(new Error(event.message || 'the worker did not start')));

const state = {
  model: { labels: [], colors: [] },
  photo: null,    // ImageBitmap of what is shown
  result: null,   // of that photo
  chosen: null,   // class id that a click keeps highlighted
  pointed: null,  // class id under the pointer or the focus
  stream: null,   // of the camera
};

function say(text, error = false) {
  $('status').textContent = text;
  $('status').classList.toggle('error', error);
}
const fail = (error) => say(error.message, true);

// ---- The model

let opening = Promise.resolve();

function open() {
  opening = (async () => {
    const file = $('model').files[0];
    say('Loading the model …');
    state.model = await ask('open', {
      model: file ? await file.arrayBuffer() : null,
      size: $('size').value ? Number($('size').value) : null,
      fit: $('fit').value,
    });
    say(`Ready: ${state.model.labels.length} classes, canvas ${state.model.canvas.join('x')}.`);
    if (state.photo && !state.stream) await segment(state.photo);
  })();
  return opening.catch(fail);
}

// ---- Photos

async function show(source) {
  stopCamera();
  try {
    // Upright as its metadata says, as everywhere in a browser.
    const photo = await createImageBitmap(source);
    state.photo?.close();
    state.photo = photo;
    state.result = null;
    state.chosen = state.pointed = null;
    draw();
    await opening.catch(() => {});
    await segment(photo);
  } catch (error) {
    fail(error instanceof DOMException ? new Error('This file is not a photo that the browser can read.') : error);
  }
}

async function segment(photo) {
  const copy = await createImageBitmap(photo);
  const result = await ask('segment', { bitmap: copy }, [copy]);
  if (photo !== state.photo) return;
  state.result = result;
  const { total, infer } = result.timing;
  say(`${result.width}x${result.height} pixels in ${total.toFixed(1)} ms, the network ${infer.toFixed(1)} ms, ` +
    `${state.model.threads} thread${state.model.threads === 1 ? '' : 's'}.`);
  legend();
  draw();
}

// ---- What is shown

function maskImage(opacity) {
  const { mask, width, height } = state.result;
  const only = state.pointed ?? state.chosen;
  const pixels = new Uint32Array(width * height);
  const bytes = new Uint8Array(4);
  const words = new Uint32Array(256);
  state.model.colors.forEach((color, id) => {
    const hidden = only !== null ? id !== only : id === 0;
    // The background is black; if it is what one looks at, white shows it.
    bytes.set([...(id === 0 ? [255, 255, 255] : color), hidden ? 0 : Math.round(255 * opacity)]);
    words[id] = new Uint32Array(bytes.buffer)[0];
  });
  for (let i = 0; i < pixels.length; ++i) pixels[i] = words[mask[i]];
  return new ImageData(new Uint8ClampedArray(pixels.buffer), width, height);
}

const layer = new OffscreenCanvas(1, 1);

function draw() {
  if (!state.photo) return;
  const { width, height } = state.photo;
  view.hidden = false;
  if (view.width !== width || view.height !== height) Object.assign(view, { width, height });
  context.drawImage(state.photo, 0, 0);
  if (state.result && state.result.width === width && state.result.height === height) {
    Object.assign(layer, { width, height });
    layer.getContext('2d').putImageData(maskImage($('opacity').value / 100), 0, 0);
    context.drawImage(layer, 0, 0);
  }
  for (const id of ['save-mask', 'save-cutout']) $(id).disabled = !state.result;
}

function legend() {
  const focused = document.activeElement?.dataset?.id;
  $('legend').replaceChildren(...Object.entries(state.result.fractions).map(([name, share]) => {
    const id = state.model.labels.indexOf(name);
    const item = document.createElement('li');
    const button = document.createElement('button');
    button.type = 'button';
    button.dataset.id = id;
    button.setAttribute('aria-pressed', String(id === state.chosen));
    const swatch = document.createElement('span');
    swatch.className = 'swatch';
    swatch.style.background = `rgb(${state.model.colors[id].join(' ')})`;
    const percent = document.createElement('span');
    percent.className = 'share';
    percent.textContent = `${(100 * share).toFixed(1)} %`;
    button.append(swatch, name, percent);
    const point = (on) => () => {
      state.pointed = on ? id : null;
      draw();
    };
    button.addEventListener('pointerenter', point(true));
    button.addEventListener('pointerleave', point(false));
    button.addEventListener('focus', point(true));
    button.addEventListener('blur', point(false));
    button.addEventListener('click', () => {
      state.chosen = state.chosen === id ? null : id;
      state.pointed = null;
      for (const other of $('legend').querySelectorAll('button')) {
        other.setAttribute('aria-pressed', String(Number(other.dataset.id) === state.chosen));
      }
      draw();
    });
    item.append(button);
    return item;
  }));
  if (focused !== undefined) $('legend').querySelector(`[data-id="${focused}"]`)?.focus();
}

// ---- Downloads

async function save(pixels, name) {
  const canvas = new OffscreenCanvas(pixels.width, pixels.height);
  canvas.getContext('2d').putImageData(pixels, 0, 0);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await canvas.convertToBlob({ type: 'image/png' }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

$('save-mask').addEventListener('click', () => {
  const { mask, width, height } = state.result;
  const pixels = new ImageData(width, height);
  for (let i = 0; i < mask.length; ++i) pixels.data.set([...state.model.colors[mask[i]], 255], 4 * i);
  save(pixels, 'mask.png').catch(fail);
});

// The chosen class, or everything except the background.
$('save-cutout').addEventListener('click', async () => {
  try {
    const found = Object.keys(state.result.fractions).map((name) => state.model.labels.indexOf(name));
    const classes = state.chosen !== null ? [state.chosen] : found.filter((id) => id !== 0);
    if (classes.length === 0) throw new Error('There is nothing but background to cut out.');
    await save((await ask('cutout', { classes })).pixels, 'cutout.png');
  } catch (error) {
    fail(error);
  }
});

// ---- The camera

function stopCamera() {
  for (const track of state.stream?.getTracks() ?? []) track.stop();
  state.stream = null;
  $('camera').textContent = 'Camera';
}

async function startCamera() {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 } });
  const video = document.createElement('video');
  video.srcObject = stream;
  video.muted = video.playsInline = true;
  await video.play();
  state.stream = stream;
  $('camera').textContent = 'Stop';
  await opening.catch(() => {});
  // One frame at a time: the next one is taken when the last one is shown.
  while (state.stream === stream) {
    const photo = await createImageBitmap(video);
    state.photo?.close();
    state.photo = photo;
    await segment(photo);
    await new Promise(requestAnimationFrame);
  }
}

$('camera').addEventListener('click', () => {
  if (state.stream) {
    stopCamera();
  } else if (!navigator.mediaDevices) {
    say('The browser gives the camera to pages of https and localhost only.', true);
  } else {
    startCamera().catch((error) => {
      stopCamera();
      fail(error.name === 'NotFoundError' ? new Error('There is no camera.') : error);
    });
  }
});

// ---- Input

$('photo').addEventListener('change', () => {
  if ($('photo').files[0]) show($('photo').files[0]);
  $('photo').value = '';  // So that the same file may be chosen again.
});
$('opacity').addEventListener('input', draw);
for (const id of ['model', 'size', 'fit']) $(id).addEventListener('change', open);

addEventListener('paste', (event) => {
  const file = [...event.clipboardData.files].find(({ type }) => type.startsWith('image/'));
  if (file) show(file);
});
addEventListener('dragover', (event) => {
  event.preventDefault();
  $('stage').classList.add('over');
});
addEventListener('dragleave', () => $('stage').classList.remove('over'));
addEventListener('drop', (event) => {
  event.preventDefault();
  $('stage').classList.remove('over');
  const file = event.dataTransfer.files[0];
  if (file) show(file);
});

open();
