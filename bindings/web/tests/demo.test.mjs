// The demo page, driven as a person would: a photo (chosen, pasted, dropped, of the camera), the legend, a class, the
// downloads, a wrong file.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Segmenter, decodePng } from './common.mjs';
import { noBrowser, withBrowser } from './browser.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');
const photo = join(root, 'docs/images/cat.jpg');
const shots = process.env.DEEPLAB_SCREENSHOTS ?? '';  // A folder for screenshots, to look at.

async function pixelsShown(page) {
  return page.evaluate(() => {
    const canvas = document.getElementById('view');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let sum = 0;
    for (let i = 0; i < data.length; i += 4) sum += data[i] + 3 * data[i + 1] + 7 * data[i + 2];
    return { width: canvas.width, height: canvas.height, sum };
  });
}

async function shoot(page, name) {
  if (!shots) return;
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`) });
}

test('the demo page', { skip: noBrowser }, () => withBrowser({}, async (browser, address) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, acceptDownloads: true });
  const page = await context.newPage();
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  await page.goto(`${address}/`);
  await page.waitForURL(`${address}/demo/`);
  await page.getByText('Ready: 21 classes').waitFor();
  await shoot(page, 'empty');

  await page.setInputFiles('#photo', photo);
  const cat = page.getByRole('button', { name: /^cat .*%/ });
  await cat.waitFor();
  assert.match(await page.textContent('#status'), /^\d+x\d+ pixels in [\d.]+ ms, the network [\d.]+ ms, 1 thread\.$/);
  const whole = await pixelsShown(page);
  await shoot(page, 'desktop');

  const background = page.getByRole('button', { name: /^background/ });
  await background.hover();
  const pointed = await pixelsShown(page);
  assert.notEqual(pointed.sum, whole.sum, 'pointing at a class changes the picture');
  await page.mouse.move(5, 5);
  assert.equal((await pixelsShown(page)).sum, whole.sum);
  await background.click();
  await page.mouse.move(5, 5);
  assert.equal(await background.getAttribute('aria-pressed'), 'true');
  await page.evaluate(() => document.activeElement.blur());
  assert.equal((await pixelsShown(page)).sum, pointed.sum, 'a click keeps the class');
  await background.click();
  await page.evaluate(() => document.activeElement.blur());
  await page.mouse.move(5, 5);

  // By keyboard: the slider to 0 shows the photo alone.
  await page.focus('#opacity');
  await page.keyboard.press('Home');
  assert.notEqual((await pixelsShown(page)).sum, whole.sum);
  await page.keyboard.press('End');

  const download = async (button) => {
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: button }).click()]);
    return decodePng(readFileSync(await file.path()));
  };
  const mask = await download('Download mask');
  assert.deepEqual([mask.width, mask.height], [whole.width, whole.height]);
  const segmenter = await Segmenter.create({ size: 33 });
  const known = new Set(segmenter.colors.map((color) => color.join()));
  segmenter.close();
  const found = new Set();
  for (let i = 0; i < mask.data.length; i += mask.channels) found.add(mask.data.subarray(i, i + 3).join());
  assert.ok(found.has('64,0,0') && found.size >= 2, `colours of the mask: ${[...found]}`);
  for (const color of found) assert.ok(known.has(color), `the mask has the colour ${color}`);
  const cutout = await download('Download cut-out');
  assert.equal(cutout.channels, 4);
  const alphas = cutout.data.filter((_, i) => i % 4 === 3);
  assert.ok(alphas.includes(0) && alphas.includes(255));

  await page.click('summary');
  await page.selectOption('#size', '257');
  await page.getByText(/pixels in/).waitFor();
  await page.setInputFiles('#model', { name: 'x.tflite', mimeType: '', buffer: Buffer.from('this is not a model') });
  await page.getByText(/INVALID_MODEL/).waitFor();
  await page.setInputFiles('#model', join(root, 'models/deeplab.tflite'));
  await page.getByText(/pixels in/).waitFor();
  await page.setInputFiles('#photo', { name: 'x.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('text') });
  await page.getByText(/not a photo/).waitFor();
  assert.deepEqual(complaints, []);

  for (const [name, width, scheme] of [['phone', 390, 'light'], ['phone-dark', 390, 'dark'], ['desktop-dark', 1280, 'dark']]) {
    await page.setViewportSize({ width, height: 844 });
    await page.emulateMedia({ colorScheme: scheme });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `${name}: the page is ${wide} pixels wide`);
    await shoot(page, name);
  }
}));

/** A page of the demo that is ready, with the photo's bytes as a file in it. */
async function openDemo(browser, address, permissions) {
  const context = await browser.newContext({ permissions });
  const page = await context.newPage();
  await page.goto(`${address}/demo/`);
  await page.getByText('Ready: 21 classes').waitFor();
  await page.evaluate((bytes) => {
    globalThis.file = new File([Uint8Array.from(bytes)], 'cat.jpg', { type: 'image/jpeg' });
  }, [...readFileSync(photo)]);
  return page;
}

const catButton = (page) => page.getByRole('button', { name: /^cat .*%/ });

test('paste and drop', { skip: noBrowser }, () => withBrowser({}, async (browser, address) => {
  const pasted = await openDemo(browser, address, ['clipboard-read', 'clipboard-write']);
  await pasted.evaluate(async () => {
    const bitmap = await createImageBitmap(globalThis.file);
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    canvas.getContext('2d').drawImage(bitmap, 0, 0);
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': await canvas.convertToBlob() })]);
  });
  await pasted.keyboard.press('Control+V');
  await catButton(pasted).waitFor();

  const dropped = await openDemo(browser, address, []);
  await dropped.evaluate(() => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(globalThis.file);
    for (const type of ['dragover', 'drop']) {
      const event = new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true });
      document.getElementById('stage').dispatchEvent(event);
      if (!event.defaultPrevented) throw new Error(`${type}: the browser would open the file instead of the page`);
    }
  });
  await catButton(dropped).waitFor();
  assert.equal(await dropped.evaluate(() => document.getElementById('stage').classList.contains('over')), false);
}));

test('the camera', { skip: noBrowser }, () => withBrowser({}, async (browser, address) => {
  const page = await openDemo(browser, address, ['camera']);
  await page.click('#camera');
  await page.getByText(/^640x480 pixels in/).waitFor();
  const frame = await pixelsShown(page);
  await page.waitForFunction((sum) => {
    const canvas = document.getElementById('view');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let now = 0;
    for (let i = 0; i < data.length; i += 4) now += data[i] + 3 * data[i + 1] + 7 * data[i + 2];
    return now !== sum;
  }, frame.sum);  // The fake camera's pictures change.
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByRole('button', { name: 'Camera' }).waitFor();
  // A photo ends what the camera showed.
  await page.setInputFiles('#photo', photo);
  await catButton(page).waitFor();

  const denied = await (await browser.newContext()).newPage();
  await denied.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no device', 'NotFoundError'));
  });
  await denied.goto(`${address}/demo/`);
  await denied.getByText('Ready: 21 classes').waitFor();
  await denied.click('#camera');
  await denied.getByText('There is no camera.').waitFor();
}, ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream']));

test('the demo page with threads', { skip: noBrowser }, () => withBrowser({}, async (browser, address) => {
  const page = await openDemo(browser, `${address}/isolated`, []);
  await page.setInputFiles('#photo', photo);
  await catButton(page).waitFor();
  const cpus = await page.evaluate(() => navigator.hardwareConcurrency);
  assert.match(await page.textContent('#status'), new RegExp(`, ${cpus} threads?\\.$`));
}));
