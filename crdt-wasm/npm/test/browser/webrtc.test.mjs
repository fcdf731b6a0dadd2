// Two tabs on a WebRTC channel of the worst kind, unordered and without a second try; what finds the other end is this test.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { until } from "../help.mjs";
import { startBrowser, startSite } from "./site.mjs";

let site;
let browser;
before(async () => {
  [site, browser] = [await startSite(), await startBrowser()];
});
after(async () => {
  await browser?.stop();
  site?.stop();
});

/** Makes one end, and resolves with what the other end needs to know. */
const describe = (page, offer) =>
  page.evaluate(async (offer) => {
    const peer = (window.peer = new RTCPeerConnection());
    window.doc = crdt.createDoc({ schema, documentId: "over a channel" });
    const use = (channel) => channel.addEventListener("open", () => (window.link = doc.connect(connect.dataChannel(channel))));
    if (offer) peer.ondatachannel = ({ channel }) => use(channel);
    else use(peer.createDataChannel("edits", { ordered: false, maxRetransmits: 0 }));
    if (offer) await peer.setRemoteDescription(offer);
    await peer.setLocalDescription();
    while (peer.iceGatheringState !== "complete") await new Promise((resolve) => setTimeout(resolve, 5));
    return peer.localDescription.toJSON();
  }, offer);

test("two tabs on a data channel converge, and each hears that the other is gone", async () => {
  const [a, b] = [await browser.tab(site.url), await browser.tab(site.url)];
  const answer = await describe(b, await describe(a));
  await a.evaluate((answer) => peer.setRemoteDescription(answer), answer);
  for (const page of [a, b]) await until(() => page.evaluate(() => window.link !== undefined));
  await a.evaluate(() => {
    doc.root.stock.increment(5);
    // More than one frame of such a channel holds.
    doc.edit(() => {
      for (let n = 0; n < 300; n++) doc.root.tags.add(`tag number ${n}`);
    });
  });
  await b.evaluate(() => doc.root.stock.decrement(1));
  for (const page of [a, b]) await until(() => page.evaluate(() => doc.root.stock.value === 4 && doc.root.tags.size === 300));
  assert.equal(await a.evaluate(() => hex(doc.encode())), await b.evaluate(() => hex(doc.encode())));
  await b.evaluate(() => doc.dispose());
  await until(() => a.evaluate(() => link.status.snapshot().state === "closed"), "the other end is gone");
  assert.deepEqual(browser.errors, []);
});
