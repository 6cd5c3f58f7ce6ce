// Turns each pinned third-party package into one file under web/static/vendor/, so that pages load nothing from
// another host and need no import map. Run by ./run after `npm ci`; prints nothing when all went well.
import {mkdir, readFile, readdir, rename, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import * as esbuild from 'esbuild';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, '../..');
const modules = path.join(root, 'node_modules');
const target = path.join(root, 'web/static/vendor');
const draft = `${target}.new`;

// MapLibre 6 needs WebGL 2, so nothing older than this could draw a map anyway.
const MAP_BROWSERS = ['chrome94', 'safari16.4'];
// Everything else also runs in the web views of elders' phones and of super-apps.
const OLD_BROWSERS = ['chrome79', 'safari13'];

const BUNDLES = [
  {from: 'maplibre-gl/dist/maplibre-gl.mjs', to: 'maplibre-gl.mjs', format: 'esm', browsers: MAP_BROWSERS},
  // A file of its own, beside its parent: the strict policy allows workers from our host.
  {from: 'maplibre-gl/dist/maplibre-gl-worker.mjs', to: 'maplibre-gl-worker.mjs', format: 'esm', browsers: MAP_BROWSERS},
  {from: 'maplibre-gl/dist/maplibre-gl.css', to: 'maplibre-gl.css', browsers: MAP_BROWSERS},
  // Only for files people take away: reports that open without a network.
  {from: 'leaflet/dist/leaflet.css', to: 'leaflet.css', browsers: OLD_BROWSERS},
];
// Classic scripts that must keep their global names, so they are rewritten for old browsers but not wrapped.
const SCRIPTS = [
  {from: 'htmx.org/dist/htmx.js', to: 'htmx.js', browsers: OLD_BROWSERS},
  {from: 'leaflet/dist/leaflet-src.js', to: 'leaflet.js', browsers: OLD_BROWSERS},
];

// The drawing of shapes: the library and its adapter share one copy of it, and pages take four names.
const DRAWING = `
  export {TerraDraw, TerraDrawPolygonMode, TerraDrawSelectMode} from 'terra-draw';
  export {TerraDrawMapLibreGLAdapter} from 'terra-draw-maplibre-gl-adapter';`;

// The editor of flows: the modeller without what pages do not use, and its styles with the font of its signs beside them.
const FLOWS = `
  export {default as Modeler} from 'bpmn-js/lib/Modeler';
  export {is, getBusinessObject} from 'bpmn-js/lib/util/ModelUtil';`;
const FLOW_STYLES = ['diagram-js.css', 'bpmn-js.css', 'bpmn-font/css/bpmn.css']
  .map((file) => `@import 'bpmn-js/dist/assets/${file}';`).join('\n');

// Models in space: the renderer that draws into the map's own context, glTF and 3D Tiles; only what scene-*.js and twin.js take.
const SCENES = `
  export {
    Box3, DirectionalLight, Group, HemisphereLight, LoadingManager, Matrix4, PerspectiveCamera, Raycaster, Scene, TextureLoader, Vector2, Vector3,
    WebGLRenderer,
  } from 'three';
  export {GLTFLoader} from 'three/addons/loaders/GLTFLoader.js';
  export {TilesRenderer} from '3d-tiles-renderer/src/three/renderer/tiles/TilesRenderer.js';`;

// Entries of our own over packages: the names that pages take, and no more.
const ENTRIES = [
  {contents: DRAWING, to: 'terra-draw.mjs'},
  {contents: FLOWS, to: 'bpmn.mjs'},
  {contents: SCENES, to: 'three.mjs'},
  {contents: FLOW_STYLES, to: 'bpmn.css', kind: 'css'},
];
const BESIDE = Object.fromEntries(['.woff2', '.woff', '.ttf', '.eot', '.svg'].map((end) => [end, 'copy']));

async function build({to, format, browsers, loader, ...entry}) {
  await esbuild.build({
    ...entry,
    outfile: path.join(draft, to),
    bundle: true,
    minify: true,
    format,
    loader,
    assetNames: '[name]',
    target: browsers,
    charset: 'utf8',
    legalComments: 'inline',
    logLevel: 'error',
  });
}

/** One file of a package with all it needs; pictures in styles lie in it. */
const bundle = ({from, ...rest}) => build({...rest, entryPoints: [path.join(modules, from)], loader: {'.png': 'dataurl'}});

/** One file of an entry of ours; the fonts of its styles lie beside it. */
function bundleEntry({contents, to, kind = 'js'}) {
  const format = kind === 'js' ? 'esm' : undefined;
  return build({stdin: {contents, resolveDir: root, loader: kind}, to, format, browsers: MAP_BROWSERS, loader: BESIDE});
}

async function rewrite({from, to, browsers}) {
  const source = await readFile(path.join(modules, from), 'utf8');
  const {code} = await esbuild.transform(source, {minify: true, target: browsers, charset: 'utf8', logLevel: 'error'});
  await writeFile(path.join(draft, to), code);
}

/** One <symbol> per icon of icons.txt (Lucide's outlines) and per own glyph in glyphs/, for `<use href="…#name">`. */
async function drawSprite() {
  const names = (await readFile(path.join(here, 'icons.txt'), 'utf8'))
    .split('\n').map((line) => line.replace(/#.*/, '').trim()).filter(Boolean);
  const own = (await readdir(path.join(here, 'glyphs'))).filter((file) => file.endsWith('.svg'));
  const files = [
    ...names.map((name) => [name, path.join(modules, 'lucide-static/icons', `${name}.svg`)]),
    ...own.map((file) => [path.basename(file, '.svg'), path.join(here, 'glyphs', file)]),
  ];
  const symbols = await Promise.all(files.map(async ([name, file]) => {
    const drawing = (await readFile(file, 'utf8').catch(() => { throw new Error(`icons.txt names no icon: ${name}`); }))
      .replace(/<!--[\s\S]*?-->/g, '').replace(/^[\s\S]*?<svg[^>]*>|<\/svg>\s*$/g, '').replace(/\s*\n\s*/g, '');
    return `<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-linecap="round" `
      + `stroke-linejoin="round">${drawing}</symbol>`;
  }));
  await writeFile(path.join(draft, 'icons.svg'), `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join('\n')}</svg>\n`);
}

async function collectLicences() {
  const packages = ['3d-tiles-renderer', 'three', 'bpmn-js', 'maplibre-gl', 'terra-draw', 'terra-draw-maplibre-gl-adapter', 'htmx.org', 'leaflet', 'lucide-static'];
  const texts = await Promise.all(packages.map(async (name) => {
    const folder = path.join(modules, name);
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const {version, license, author} = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8'));
    const text = file ? await readFile(path.join(folder, file), 'utf8') : `${license}, ${author?.name || author || 'its authors'}`;
    return `${name} ${version}\n\n${text}`;
  }));
  await writeFile(path.join(draft, 'licences.txt'), texts.join('\n\n----\n\n'));
}

await rm(draft, {recursive: true, force: true});
await mkdir(draft, {recursive: true});
await Promise.all([...BUNDLES.map(bundle), ...ENTRIES.map(bundleEntry), ...SCRIPTS.map(rewrite), drawSprite(), collectLicences()]);
await rm(target, {recursive: true, force: true});
await rename(draft, target);
