// A MapLibre map on a background of our own: outlines from our own address, names drawn with the device's fonts.
// Nothing comes from outside unless a style is configured. The library is loaded when the first map is shown.
const CHINA = "/external/basemap/china.json";
const DISTRICTS = "/external/basemap/districts.json";
// Nearer than this, districts and their names are worth their two megabytes.
const DISTRICTS_FROM = 7.5;
const NOTHING = { type: "FeatureCollection", features: [] };

let loading = null;
const library = () => {
  // Under Vite the worker is a file of its own, whose address the library cannot know by itself.
  loading ??= Promise.all([
    import("maplibre-gl"), import("maplibre-gl/dist/maplibre-gl-worker.mjs?url"), import("maplibre-gl/dist/maplibre-gl.css"),
  ]).then(([gl, worker]) => {
    gl.setWorkerUrl(worker.default);
    return gl;
  }).catch((failure) => {
    loading = null;
    throw failure;
  });
  return loading;
};

// What maps are drawn on is the same for all of them; it is asked for while the library is loading.
let asking = null;
const setup = () => {
  asking ??= fetch("/api/v1/map/setup").then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(`map setup: ${answer.status}`)))).catch((failure) => {
    asking = null;
    throw failure;
  });
  return asking;
};

export const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--tc-${name}`).trim();

const read = (address) => fetch(address).then((answer) => (answer.ok ? answer.json() : NOTHING)).catch(() => NOTHING);
const outlines = {};
const outline = (address) => (outlines[address] ??= read(address));

const named = (level, from, size) => ({
  id: `name-${level}`, type: "symbol", source: level === "district" ? "districts" : "china", minzoom: from,
  filter: ["all", ["==", ["get", "kind"], "name"], ["==", ["get", "level"], level]],
  layout: { "text-field": ["get", "name"], "text-size": size, "text-max-width": 6, "text-padding": 6 },
  paint: { "text-color": token("text-3"), "text-halo-color": token("surface"), "text-halo-width": 1.2 },
});
const bordered = (level, from, to, width, colour) => ({
  id: `border-${level}`, type: "line", source: level === "district" ? "districts" : "china", minzoom: from, maxzoom: to,
  filter: ["all", ["==", ["get", "kind"], "area"], ["==", ["get", "level"], level]],
  paint: { "line-color": colour, "line-width": width },
});

// The style without any configured one. Where the outlines are missing, the plain ground remains.
function ownStyle() {
  return {
    version: 8,
    sources: {
      china: { type: "geojson", data: NOTHING },
      districts: { type: "geojson", data: NOTHING },
    },
    layers: [
      { id: "ground", type: "background", paint: { "background-color": token("sunken") } },
      {
        id: "land", type: "fill", source: "china", maxzoom: DISTRICTS_FROM, filter: ["all", ["==", ["get", "kind"], "area"], ["==", ["get", "level"], "province"]],
        paint: { "fill-color": token("surface"), "fill-antialias": false },
      },
      {
        id: "land-near", type: "fill", source: "districts", minzoom: DISTRICTS_FROM, filter: ["==", ["get", "kind"], "area"],
        paint: { "fill-color": token("surface"), "fill-antialias": false },
      },
      bordered("district", DISTRICTS_FROM, 24, 0.8, token("line-strong")),
      bordered("city", 5.5, DISTRICTS_FROM, 0.8, token("line")),
      bordered("province", 0, DISTRICTS_FROM, 1, token("line-strong")),
      {
        id: "lines", type: "line", source: "china", filter: ["==", ["get", "kind"], "line"],
        paint: { "line-color": token("text-3"), "line-width": 1.2 },
      },
      named("district", 8.5, 11), named("city", 5.5, 11), named("province", 3, 12),
    ],
  };
}

function rasterStyle(address) {
  return {
    version: 8,
    sources: { tiles: { type: "raster", tiles: [address], tileSize: 256 } },
    layers: [{ id: "ground", type: "background", paint: { "background-color": token("sunken") } }, { id: "tiles", type: "raster", source: "tiles" }],
  };
}

// `draw(map)` adds what the map is about to a fresh style; it is called again when the theme changes. Returns what ends the map.
export async function openMap(container, { speak, draw, label, ...options }) {
  const [gl, { style: address }] = await Promise.all([library(), setup()]);
  if (!container.isConnected) return { remove: () => {} };
  const isOwn = !address;
  if (isOwn) outline(CHINA);
  const map = new gl.Map({
    container, style: { version: 8, sources: {}, layers: [] }, localIdeographFontFamily: getComputedStyle(document.body).fontFamily, attributionControl: false, dragRotate: false,
    locale: { "Map.Title": label, "NavigationControl.ZoomIn": speak.t("map.zoom_in"), "NavigationControl.ZoomOut": speak.t("map.zoom_out") },
    pitchWithRotate: false, touchPitch: false, maxZoom: 18, minZoom: 1.5, center: [104, 34], zoom: 3.4, fadeDuration: 0, ...options,
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new gl.NavigationControl({ showCompass: false }), "bottom-right");
  map.addControl(new gl.ScaleControl({ maxWidth: 90 }), "bottom-left");

  const showDistricts = () => {
    if (isOwn && map.getZoom() >= DISTRICTS_FROM) outline(DISTRICTS).then((data) => map.getSource("districts")?.setData(data));
  };
  const restyle = () => {
    const style = isOwn ? ownStyle() : address.includes("{x}") ? rasterStyle(address) : address;
    // Names of a style from elsewhere are drawn with the device's fonts as well.
    map.setStyle(style, { diff: false, transformStyle: (_, { glyphs, ...next }) => next });
  };
  map.on("style.load", () => {
    if (isOwn) outline(CHINA).then((data) => map.getSource("china")?.setData(data));
    showDistricts();
    draw(map);
  });
  map.on("zoomend", showDistricts);
  const theme = new MutationObserver(restyle);
  theme.observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
  restyle();
  return {
    map, isOwn,
    remove: () => {
      theme.disconnect();
      map.remove();
    },
  };
}

// The map and its buttons in the reader's language, which may change while the map is open.
export function nameMap(open, { speak, label }) {
  const container = open?.map?.getContainer();
  container?.querySelector(".maplibregl-canvas")?.setAttribute("aria-label", label);
  for (const [name, key] of [["zoom-in", "map.zoom_in"], ["zoom-out", "map.zoom_out"]]) {
    for (const attribute of ["aria-label", "title"]) container?.querySelector(`.maplibregl-ctrl-${name}`)?.setAttribute(attribute, speak.t(key));
  }
}

const CELL = 12;

// The points that lie together where most of them lie: work on two continents is not shown as one ocean.
function together(points) {
  const cells = new Map();
  for (const point of points) {
    const key = `${Math.floor(point[0] / CELL)},${Math.floor(point[1] / CELL)}`;
    cells.set(key, [...(cells.get(key) ?? []), point]);
  }
  let most = [];
  while (cells.size) {
    const found = [];
    const waiting = [cells.keys().next().value];
    while (waiting.length) {
      const key = waiting.pop();
      if (!cells.has(key)) continue;
      found.push(...cells.get(key));
      cells.delete(key);
      const [column, row] = key.split(",").map(Number);
      for (const dx of [-1, 0, 1]) for (const dy of [-1, 0, 1]) waiting.push(`${column + dx},${row + dy}`);
    }
    if (found.length > most.length) most = found;
  }
  return most;
}

// The box around all points, or around most of them.
export function boundsOf(points, { all = false } = {}) {
  const shown = all ? points : together(points);
  if (!shown.length) return null;
  const [lons, lats] = [shown.map((point) => point[0]), shown.map((point) => point[1])];
  const least = (values) => values.reduce((a, b) => Math.min(a, b));
  const most = (values) => values.reduce((a, b) => Math.max(a, b));
  return [[least(lons), least(lats)], [most(lons), most(lats)]];
}

export const reducedMotion = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

export const collection = (features) => ({ type: "FeatureCollection", features });
