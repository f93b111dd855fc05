import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it, vi } from "vitest";
import { takeSlot } from "./live-slots.ts";

let leaves: (() => void)[] = [];
let holders: number[] = [];

/** So many pages ask, one after the other; each is known by its number. */
function ask(pages: number): void {
  for (let page = 1; page <= pages; page += 1) leaves.push(takeSlot(() => holders.push(page)));
}
const leave = (page: number) => leaves[page - 1]?.();
/** Locks are given within a few turns of the event loop. */
const settled = () => sleep(50);

afterEach(async () => {
  for (const one of leaves) one();
  leaves = [];
  holders = [];
  vi.unstubAllGlobals();
  await settled();
});

it("lets four streams open, and each that ends gives way to who asked first", async () => {
  ask(8);
  await settled();
  expect(holders).toEqual([1, 2, 3, 4]);
  leave(3);
  await settled();
  expect(holders).toEqual([1, 2, 3, 4, 5]);
  leave(1);
  leave(2);
  await settled();
  expect(holders).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

it("passes over who waits no longer", async () => {
  ask(7);
  await settled();
  leave(5);
  leave(6);
  await settled();
  expect(holders).toEqual([1, 2, 3, 4]);
  leave(1);
  await settled();
  expect(holders).toEqual([1, 2, 3, 4, 7]);
});

it("gives back a slot that was left before it was taken", async () => {
  ask(4);
  for (const page of [1, 2, 3, 4]) leave(page);
  ask(4);
  await settled();
  expect(holders).toEqual([1, 2, 3, 4]);
});

it("holds nobody up where the browser has no locks, or refuses them", async () => {
  vi.stubGlobal("navigator", {});
  ask(6);
  expect(holders).toEqual([1, 2, 3, 4, 5, 6]);
  vi.stubGlobal("navigator", { locks: { request: () => Promise.reject(new Error("denied")) } });
  holders = [];
  ask(6);
  await settled();
  expect(holders).toEqual([1, 2, 3, 4, 5, 6]);
});
