// What the server foretold of a held task, looked up for a person and a start. Times are texts of the
// region's clock, which compare as they are.
const two = (number) => String(number).padStart(2, "0");

export const wallOf = (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}:00`;

export const later = (wall, minutes) => {
  const date = new Date(`${wall.slice(0, 16)}:00Z`);
  date.setUTCMinutes(date.getUTCMinutes() + minutes);
  return `${date.toISOString().slice(0, 16)}:00`;
};

export const minutesBetween = (from, until) => Math.round((Date.parse(`${until}Z`) - Date.parse(`${from}Z`)) / 60000);

const at = (spans, start) => spans.filter((each) => each.since <= start && start < each.until);
const once = (list) => list.filter((each, place) => list.findIndex((other) => other.key === each.key) === place);

// Everything against starting there, or null while nothing was foretold of this task.
export function against(truth, ticketId, personId, start) {
  if (!truth || truth.ticket !== ticketId) return null;
  const told = truth.people?.[String(personId)];
  if (!told) return null;
  return once([...told.against, ...at(told.barred, start)]);
}

// What is to be thought of when starting there.
export function warnings(truth, ticketId, personId, start) {
  const told = truth?.ticket === ticketId ? truth.people?.[String(personId)] : null;
  return told ? once(at(told.warned, start)) : [];
}

// How a person stands to the held task on the days shown: never, only at some hours, or whenever.
export function standing(truth, personId) {
  const told = truth?.people?.[String(personId)];
  if (!told) return null;
  if (told.against.length > 0) return { tone: "red", reason: told.against[0] };
  return { tone: told.barred.length > 0 ? "amber" : "green", reason: told.barred[0] ?? null };
}
