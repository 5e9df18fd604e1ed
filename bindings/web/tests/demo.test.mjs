// The demo page, driven as a person would: a photo, the legend, a class, the downloads, a wrong file.
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
  await page.goto(`${address}/demo/`);
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
