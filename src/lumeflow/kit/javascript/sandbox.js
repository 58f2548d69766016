// Makes a context in which the same record always gives the same answer, and returns what judges a batch.
//
// Only the names below are left. All that is built in is frozen, so that nothing can be kept from one record to the
// next; chance is gone; the clock stands still, and knows no time zone but UTC.
(function (now) {
  "use strict";
  const kept = new Set(
    (
      "Object Function Array String Number Boolean BigInt Symbol Map Set WeakMap WeakSet Math JSON RegExp Date Reflect " +
      "Proxy Iterator Error EvalError RangeError ReferenceError SyntaxError TypeError URIError InternalError " +
      "AggregateError parseInt parseFloat isNaN isFinite decodeURI decodeURIComponent encodeURI encodeURIComponent " +
      "escape unescape btoa atob Infinity NaN undefined globalThis ArrayBuffer DataView Int8Array Uint8Array " +
      "Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array Float32Array Float64Array BigInt64Array " +
      "BigUint64Array"
    ).split(" ")
  );
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (!kept.has(name)) delete globalThis[name];
  }
  delete Math.random;

  const RealDate = Date;
  const withZone = /(?:Z|GMT|UTC|[ECMP][SD]T|:\d\d(?:\.\d+)?\s*[+-]\d\d:?\d\d|GMT[+-]\d{4})\s*(?:\(.*\))?\s*$/i;
  const dayAlone = /^\s*[+-]?\d{4,6}(?:-\d\d){0,2}\s*$/;
  const parse = (text) => {
    if (withZone.test(text) || dayAlone.test(text)) return RealDate.parse(text);
    return RealDate.parse(/\dT\d\d:/.test(text) ? text.trim() + "Z" : text.trim() + " GMT");
  };
  const moment = (given) => {
    if (given.length === 0) return now;
    if (given.length > 1) return RealDate.UTC(...given);
    const [one] = given;
    if (one instanceof RealDate) return one.getTime();
    return typeof one === "string" ? parse(one) : Number(one);
  };
  const PinnedDate = function Date(...given) {
    const made = Reflect.construct(RealDate, [moment(given)], new.target ?? PinnedDate);
    return new.target ? made : made.toString();
  };
  PinnedDate.prototype = RealDate.prototype;
  PinnedDate.now = () => now;
  PinnedDate.parse = (text) => parse(String(text));
  PinnedDate.UTC = RealDate.UTC;
  const dates = RealDate.prototype;
  dates.constructor = PinnedDate;
  for (const name of Object.getOwnPropertyNames(dates)) {
    if (/^[gs]etUTC/.test(name)) dates[name.replace("UTC", "")] = dates[name];
  }
  dates.getTimezoneOffset = () => 0;
  dates.toString = dates.toLocaleString = dates.toUTCString;
  dates.toDateString = dates.toLocaleDateString = function () { return this.toISOString().slice(0, 10); };
  dates.toTimeString = dates.toLocaleTimeString = function () { return this.toISOString().slice(11, 19); };
  delete dates.getYear;
  delete dates.setYear;
  globalThis.Date = PinnedDate;

  const seen = new Set();
  const freeze = (value) => {
    if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value)) return;
    seen.add(value);
    Object.freeze(value);
    freeze(Object.getPrototypeOf(value));
    for (const key of Reflect.ownKeys(value)) {
      const property = Object.getOwnPropertyDescriptor(value, key);
      freeze(property.value);
      freeze(property.get);
      freeze(property.set);
    }
  };
  const hidden = [
    function* () {}, async function () {}, async function* () {}, [].values(), new Map().values(), new Set().values(),
    "".matchAll(/x/g), ""[Symbol.iterator](), [].values().map((item) => item), Iterator.from({ next() {} }),
  ];
  hidden.forEach(freeze);
  freeze(globalThis);

  const { parse: read, stringify: write } = JSON;
  const OutOfMemory = InternalError;
  const told = (error) => {
    if (!(error instanceof Error)) return ["", "", ""];
    const { name, message, stack } = error;
    return [name, message, stack].map((text) => (typeof text === "string" ? text.slice(0, 500) : ""));
  };
  const isPromise = (found) => typeof found === "object" && found !== null && typeof found.then === "function";

  return (predicate) => (batch) => {
    const records = read(batch);
    let verdicts = "";
    const errors = [];
    for (const record of records) {
      try {
        let found = predicate(record);
        if (typeof found === "function") found = found(record);
        if (isPromise(found) || typeof found === "function") {
          verdicts += "?";
        } else {
          verdicts += found ? "1" : "0";
        }
      } catch (error) {
        // Where even an error has no room, what is thrown is null.
        if (error === null || error instanceof OutOfMemory) throw error;
        let about = ["", "", ""];
        try { about = told(error); } catch { /* an error that can't be looked at */ }
        verdicts += "!";
        errors.push(about);
      }
    }
    return write([verdicts, errors]);
  };
});
