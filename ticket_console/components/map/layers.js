// What the maps draw on their background, each in the colours of the theme. Colour is never all: lateness has a ring,
// people who are at home are hollow, and the urgency of a ticket is written in its mark.
import { collection, token } from "./canvas.js";

export const EMERGENCY = 1;
const isLate = ["==", ["get", "late"], true];
const PRIORITY = () => ["match", ["get", "priority"], 1, token("priority-1"), 2, token("priority-2"), 3, token("priority-3"), token("priority-4")];

const point = (id, source, paint, more = {}) => ({ id, type: "circle", source, paint, ...more });
const words = (id, source, field, more = {}, paint = {}) => ({
  id, type: "symbol", source,
  layout: { "text-field": field, "text-size": 11, "text-allow-overlap": true, "text-ignore-placement": true, ...more.layout },
  paint: { "text-color": token("text-2"), ...paint }, ...(more.filter ? { filter: more.filter } : {}), ...(more.minzoom ? { minzoom: more.minzoom } : {}),
});
const beside = { "text-anchor": "left", "text-offset": [0.9, 0], "text-allow-overlap": false, "text-ignore-placement": false };
const halo = () => ({ "text-halo-color": token("surface"), "text-halo-width": 1.4 });

export function addOperations(map) {
  const empty = collection([]);
  map.addSource("territories", { type: "geojson", data: empty });
  map.addSource("ways", { type: "geojson", data: empty });
  map.addSource("track", { type: "geojson", data: empty });
  map.addSource("sites", { type: "geojson", data: empty });
  map.addSource("people", { type: "geojson", data: empty });
  map.addSource("urgent", { type: "geojson", data: empty });
  map.addSource("chosen", { type: "geojson", data: empty });
  map.addSource("tickets", {
    type: "geojson", data: empty, cluster: true, clusterRadius: 46, clusterMaxZoom: 13,
    clusterProperties: { late: ["+", ["case", isLate, 1, 0]], pressing: ["min", ["get", "priority"]] },
  });
  const layers = [
    { id: "territory-fill", type: "fill", source: "territories", paint: { "fill-color": token("accent"), "fill-opacity": 0.05 } },
    { id: "territory-line", type: "line", source: "territories", paint: { "line-color": token("accent"), "line-opacity": 0.55, "line-width": 1.2, "line-dasharray": [3, 2] } },
    words("territory-name", "territories", ["get", "label"], { minzoom: 8.5, layout: { "text-allow-overlap": false, "text-size": 12 } }, { "text-color": token("accent-text"), ...halo() }),
    {
      id: "track-line", type: "line", source: "track", filter: ["==", ["geometry-type"], "LineString"], layout: { "line-join": "round", "line-cap": "round" },
      paint: { "line-color": token("teal"), "line-width": 3.5, "line-opacity": 0.85 },
    },
    point("track-end", "track", { "circle-radius": 5, "circle-color": token("surface"), "circle-stroke-color": token("teal"), "circle-stroke-width": 3 }, { filter: ["==", ["geometry-type"], "Point"] }),
    {
      id: "ways", type: "line", source: "ways", filter: ["==", ["geometry-type"], "LineString"], layout: { "line-cap": "round" },
      paint: {
        "line-color": ["case", ["get", "best"], token("accent"), token("text-3")], "line-width": ["case", ["get", "best"], 2.6, 1.2],
        "line-opacity": ["case", ["get", "best"], 0.95, 0.6],
      },
    },
    point("sites", "sites", { "circle-radius": 5, "circle-color": token("surface"), "circle-stroke-color": token("violet"), "circle-stroke-width": 2.2 }),
    words("site-name", "sites", ["get", "label"], { minzoom: 9.5, layout: beside }, halo()),
    point("people", "people", {
      "circle-radius": 7,
      "circle-color": ["case", ["get", "live"], token("teal"), token("surface")],
      "circle-opacity": ["case", ["get", "is_on_duty"], 1, 0.5],
      "circle-stroke-color": ["case", ["get", "is_on_duty"], token("teal"), token("text-3")],
      "circle-stroke-width": 2.2,
    }),
    words("person-name", "people", ["get", "name"], { minzoom: 9, layout: beside }, halo()),
    point("ticket-group", "tickets", {
      "circle-radius": ["step", ["get", "point_count"], 14, 20, 18, 100, 23, 500, 29],
      "circle-color": ["match", ["get", "pressing"], 2, token("priority-2"), 3, token("priority-3"), token("priority-4")],
      "circle-opacity": 0.92,
      "circle-stroke-color": ["case", [">", ["get", "late"], 0], token("danger"), token("surface")],
      "circle-stroke-width": ["case", [">", ["get", "late"], 0], 3.5, 1.5],
    }, { filter: ["has", "point_count"] }),
    words("ticket-count", "tickets", ["to-string", ["get", "point_count"]], { filter: ["has", "point_count"], layout: { "text-size": 12 } }, { "text-color": onMark() }),
    point("ticket", "tickets", {
      "circle-radius": 8, "circle-color": PRIORITY(), "circle-stroke-color": ["case", isLate, token("danger"), token("surface")], "circle-stroke-width": ["case", isLate, 3, 1.5],
    }, { filter: ["!", ["has", "point_count"]] }),
    words("ticket-priority", "tickets", ["to-string", ["get", "priority"]], { filter: ["!", ["has", "point_count"]], layout: { "text-size": 10 } }, { "text-color": onMark() }),
    point("urgent-ring", "urgent", { "circle-radius": 17, "circle-color": token("priority-1"), "circle-opacity": 0.22, "circle-stroke-color": token("priority-1"), "circle-stroke-width": 1.2 }),
    point("urgent", "urgent", { "circle-radius": 9, "circle-color": token("priority-1"), "circle-stroke-color": token("surface"), "circle-stroke-width": 2 }),
    words("urgent-priority", "urgent", "!", { layout: { "text-size": 13 } }, { "text-color": onMark() }),
    point("way-end", "ways", {
      "circle-radius": 9, "circle-color": ["case", ["get", "best"], token("accent"), token("surface")], "circle-stroke-color": token("accent"), "circle-stroke-width": 2,
    }, { filter: ["==", ["geometry-type"], "Point"] }),
    words("way-rank", "ways", ["get", "rank"], { filter: ["==", ["geometry-type"], "Point"], layout: { "text-size": 11 } }, { "text-color": ["case", ["get", "best"], token("text-on-solid"), token("accent-text")] }),
    point("chosen", "chosen", { "circle-radius": 14, "circle-opacity": 0, "circle-stroke-color": token("accent"), "circle-stroke-width": 3.5 }),
  ];
  layers.forEach((layer) => map.addLayer(layer));
}

function onMark() {
  return document.documentElement.classList.contains("dark") ? token("sunken") : token("text-on-solid");
}

export const setData = (map, name, features) => {
  map?.getSource(name)?.setData(collection(features));
};

// The ends of the parts of a way are marked: between them nothing is known.
export function trackFeatures(track) {
  const lines = track?.features ?? [];
  const ends = lines.flatMap((line) => [line.geometry.coordinates[0], line.geometry.coordinates.at(-1)]);
  return [...lines, ...ends.map((coordinates) => ({ type: "Feature", properties: {}, geometry: { type: "Point", coordinates } }))];
}

export function addSites(map) {
  map.addSource("sites", { type: "geojson", data: collection([]) });
  const late = [">", ["get", "overdue"], 0];
  map.addLayer(point("sites", "sites", {
    "circle-radius": ["interpolate", ["linear"], ["get", "open"], 0, 4, 10, 8, 50, 14, 200, 20],
    "circle-color": ["case", late, token("danger"), [">", ["get", "open"], 0], token("accent"), token("surface")],
    "circle-opacity": 0.85, "circle-stroke-color": ["case", [">", ["get", "open"], 0], token("surface"), token("text-3")], "circle-stroke-width": 1.5,
  }, { layout: { "circle-sort-key": ["+", ["*", 1000, ["get", "overdue"]], ["get", "open"]] } }));
  map.addLayer(words("site-open", "sites", ["case", [">", ["get", "open"], 9], ["to-string", ["get", "open"]], ""], { minzoom: 5 }, { "text-color": onMark() }));
  map.addLayer(words("site-name", "sites", ["get", "label"], { minzoom: 8.5, layout: { ...beside, "text-offset": [1.6, 0] } }, halo()));
}

export function addMine(map) {
  for (const name of ["track", "jobs"]) map.addSource(name, { type: "geojson", data: collection([]) });
  const layers = [
    { id: "track-line", type: "line", source: "track", filter: ["==", ["geometry-type"], "LineString"], layout: { "line-join": "round", "line-cap": "round" }, paint: { "line-color": token("teal"), "line-width": 3.5, "line-opacity": 0.85 } },
    point("track-end", "track", { "circle-radius": 5, "circle-color": token("surface"), "circle-stroke-color": token("teal"), "circle-stroke-width": 3 }, { filter: ["==", ["geometry-type"], "Point"] }),
    point("jobs", "jobs", { "circle-radius": 10, "circle-color": PRIORITY(), "circle-stroke-color": token("surface"), "circle-stroke-width": 2 }),
    words("job-no", "jobs", ["get", "place"], { layout: { "text-size": 11 } }, { "text-color": onMark() }),
  ];
  layers.forEach((layer) => map.addLayer(layer));
}
