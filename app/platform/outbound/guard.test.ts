import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import {
  OutboundNameError,
  OutboundRefusedError,
  OutboundTimeoutError,
  OutboundTlsError,
  OutboundTooLargeError,
  OutboundUnreachableError,
} from "./errors.ts";
import { createOutboundGuard, type ResolvedAddress } from "./guard.ts";
import { OutboundConfigError } from "./rules.ts";

const suffixes = ["supabase.co", "supabase.com"];
const limits = { timeoutMs: 4_000, maxBytes: 64 * 1024 };
const ref = "abcdefghijklmnopqrst";
const publicAddress: ResolvedAddress = { address: "104.18.38.10", family: 4 };

const open: Server[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) {
    if ("closeAllConnections" in server) (server.closeAllConnections as () => void)();
    server.close();
  }
});

async function listen(server: Server, host = "127.0.0.1", port = 0): Promise<number> {
  open.push(server);
  await new Promise<void>((done) => server.listen(port, host, done));
  return (server.address() as AddressInfo).port;
}

const serve = (handler: RequestListener) => listen(createServer(handler));

function guardFor(origins = "", resolve?: (host: string) => Promise<ResolvedAddress[]>) {
  return createOutboundGuard({ allowSuffixes: suffixes, allowOrigins: origins, resolve });
}

const refused = (text: string, guard = guardFor()) =>
  expect(() => guard.checkUrl(text), text).toThrow(OutboundRefusedError);

describe("what may be called, by text", () => {
  it("takes a project's address and nothing near it", () => {
    const guard = guardFor();
    expect(guard.checkUrl(`https://${ref}.supabase.co`).permission).toBe("suffix");
    expect(guard.checkUrl(`https://${ref}.supabase.co:443/auth/v1/settings?a=b`).port).toBe(443);
    for (const text of [
      `http://${ref}.supabase.co`,
      `http://${ref}.supabase.co:443`,
      `http://${ref}.supabase.co:5432`,
      `https://${ref}.supabase.co:8443`,
      `https://${ref}.supabase.co:0443`,
      `https://${ref}.supabase.co.`,
      `https://${ref}.supabase.co.evil.com`,
      `https://evilsupabase.co`,
      `https://evil.com#.supabase.co`,
      `https://evil.com/#@x.supabase.co`,
      `https://${ref}.supabase.co#x`,
      `https://user@${ref}.supabase.co`,
      `https://user:pw@${ref}.supabase.co`,
      `https://evil.com\\.supabase.co`,
      `https:\\\\${ref}.supabase.co`,
      `https:/${ref}.supabase.co`,
      `//${ref}.supabase.co`,
      `https://xn--spabase-2va.supabase.co`,
      `https://${ref}.ѕupabase.co`,
      `https://${ref}。supabase。co`,
      `https://${ref}.supabase%2eco`,
      `https://${ref}.supabase.co /`,
      `https://${ref}.supa\tbase.co`,
      `\nhttps://${ref}.supabase.co`,
      `ftp://${ref}.supabase.co`,
      `file:///etc/passwd`,
      `https://-a.supabase.co`,
      `https://a..supabase.co`,
      `https://.supabase.co`,
      "https://",
      "",
      `https://${ref}.supabase.co/${"a".repeat(9_000)}`,
    ]) {
      refused(text, guard);
    }
  });

  it("holds the operator's list to exact hosts and ports", () => {
    const guard = guardFor("127.0.0.1:54800-54999, localhost:8000, [::1]:9000");
    expect(guard.checkUrl("http://127.0.0.1:54800/x").permission).toBe("origin");
    expect(guard.checkUrl("https://127.0.0.1:54999/x").permission).toBe("origin");
    expect(guard.checkUrl("http://localhost:8000").permission).toBe("origin");
    expect(guard.checkUrl("http://[::1]:9000").host).toBe("::1");
    for (const text of [
      "http://127.0.0.1:54799",
      "http://127.0.0.1:55000",
      "http://127.0.0.1",
      "http://127.1:54800",
      "http://0x7f000001:54800",
      "http://2130706433:54800",
      "http://0177.0.0.1:54800",
      "http://127.0.0.1.:54800",
      "http://127.0.0.2:54800",
      "http://\uff11\uff12\uff17.0.0.1:54800",
      "http://[::ffff:127.0.0.1]:54800",
      "http://[0:0:0:0:0:0:0:1]:9000",
      "http://localhost:54800",
      "http://sub.localhost:8000",
    ]) {
      refused(text, guard);
    }
  });

  it("lets databases use their port alone", () => {
    const guard = guardFor("127.0.0.1:54800");
    expect(guard.checkDatabase(`db.${ref}.supabase.co`, 5432)).toBe("suffix");
    expect(guard.checkDatabase("127.0.0.1", 54800)).toBe("origin");
    for (const [host, port] of [
      [`db.${ref}.supabase.co`, 6543],
      [`db.${ref}.supabase.co`, 443],
      ["evil.com", 5432],
      ["127.0.0.1", 5432],
      ["/var/run/postgresql", 5432],
      ["", 5432],
    ] as const) {
      expect(() => guard.checkDatabase(host, port)).toThrow(OutboundRefusedError);
    }
  });

  it("refuses every notation of every address", () => {
    const guard = guardFor();
    const fullWidth = (text: string) =>
      text.replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit)));
    fc.assert(
      fc.property(fc.nat(0xffff_ffff), (number) => {
        const octets = [24, 16, 8, 0].map((shift) => (number >>> shift) & 255);
        const [a, b, c, d] = octets as [number, number, number, number];
        const dotted = octets.join(".");
        for (const host of [
          dotted,
          `${dotted}.`,
          String(number),
          `0x${number.toString(16)}`,
          `0${number.toString(8)}`,
          `${a}.${number & 0xff_ffff}`,
          `${a}.${b}.${(c << 8) | d}`,
          octets.map((octet) => `0${octet.toString(8)}`).join("."),
          octets.map((octet) => `0x${octet.toString(16)}`).join("."),
          fullWidth(dotted),
          `[::ffff:${dotted}]`,
          `[64:ff9b::${dotted}]`,
          `[::${dotted}]`,
          encodeURIComponent(dotted).replace(".", "%2e"),
        ]) {
          refused(`https://${host}`, guard);
          refused(`https://${host}/.supabase.co`, guard);
          expect(() => guard.checkDatabase(host, 5432)).toThrow(OutboundRefusedError);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("matches suffixes on label boundaries only", () => {
    const guard = guardFor();
    const domain = fc.domain();
    fc.assert(
      fc.property(domain, fc.constantFrom(...suffixes), (host, suffix) => {
        if (!host.endsWith(".supabase.co") && !host.endsWith(".supabase.com")) {
          refused(`https://${host}`, guard);
        }
        refused(`https://${suffix}.${host}`, guard);
        refused(`https://x${suffix}`, guard);
      }),
    );
  });

  it("refuses a careless allow-list", () => {
    for (const suffix of ["co", "", "*.supabase.co", "Supabase.co", "127.0.0.1", "a.co:443"]) {
      expect(() => createOutboundGuard({ allowSuffixes: [suffix], allowOrigins: "" })).toThrow(
        OutboundConfigError,
      );
    }
    for (const origin of [
      "127.0.0.1",
      "127.1:80",
      "a:0",
      "a:70000",
      "a:9-8",
      "http://a:80",
      "*:1",
    ]) {
      expect(() => guardFor(origin)).toThrow(OutboundConfigError);
    }
  });
});

describe("what the DNS may answer", () => {
  const host = `db.${ref}.supabase.co`;

  it("pins a database to the checked address and keeps its name for TLS", async () => {
    const guard = guardFor("", async () => [publicAddress]);
    expect(await guard.resolve(host, 5432)).toEqual({ ...publicAddress, servername: host });
  });

  it("refuses the whole name for one address that is not public", async () => {
    const bad = fc.constantFrom(
      "127.0.0.1",
      "10.1.2.3",
      "169.254.169.254",
      "100.64.0.1",
      "::1",
      "fd00::1",
      "fe80::1",
      "::ffff:10.0.0.1",
      "64:ff9b::a00:1",
      "not an address",
    );
    await fc.assert(
      fc.asyncProperty(bad, fc.nat(3), async (address, place) => {
        const answers = [publicAddress, publicAddress, publicAddress];
        answers.splice(place, 0, { address, family: address.includes(":") ? 6 : 4 });
        const guard = guardFor("", async () => answers);
        await expect(guard.resolve(host, 5432)).rejects.toThrow(OutboundRefusedError);
        await expect(guard.fetch(`https://${ref}.supabase.co`, limits)).rejects.toThrow(
          OutboundRefusedError,
        );
      }),
      { numRuns: 40 },
    );
  });

  it("says when a name is gone", async () => {
    const gone = async () => {
      throw Object.assign(new Error("getaddrinfo"), { code: "ENOTFOUND" });
    };
    await expect(guardFor("", gone).resolve(host, 5432)).rejects.toThrow(OutboundNameError);
    await expect(guardFor("", async () => []).resolve(host, 5432)).rejects.toThrow(
      OutboundNameError,
    );
  });

  it("does not wait for ever for the DNS", async () => {
    const never = () => new Promise<ResolvedAddress[]>(() => {});
    await expect(
      guardFor("", never).fetch(`https://${ref}.supabase.co`, { ...limits, timeoutMs: 50 }),
    ).rejects.toThrow(OutboundUnreachableError);
  });

  it("connects to the address that was checked, though the DNS has changed its mind", async () => {
    const first = createServer((_request, response) => response.end("first"));
    const port = await listen(first, "127.0.0.1");
    await listen(
      createServer((_request, response) => response.end("second")),
      "127.0.0.2",
      port,
    );
    let asked = 0;
    const guard = guardFor(`project.test:${port}`, async () => {
      asked += 1;
      return [{ address: asked === 1 ? "127.0.0.1" : "127.0.0.2", family: 4 }];
    });
    const answer = await guard.fetch(`http://project.test:${port}/`, limits);
    expect([answer.text, asked]).toEqual(["first", 1]);
  });
});

describe("an exchange", () => {
  it("sends what it was given and returns status, headers and text", async () => {
    const seen: { request?: IncomingMessage; body?: string } = {};
    const port = await serve((request, response) => {
      seen.request = request;
      request.setEncoding("utf8").on("data", (chunk) => {
        seen.body = (seen.body ?? "") + chunk;
      });
      request.on("end", () => response.writeHead(540, { "sb-project-ref": ref }).end("ünder"));
    });
    const answer = await guardFor(`127.0.0.1:${port}`).fetch(`http://127.0.0.1:${port}/a?b=c`, {
      ...limits,
      method: "POST",
      headers: { apikey: "k" },
      body: '{"x":"é"}',
    });
    expect(answer).toMatchObject({ status: 540, text: "ünder" });
    expect(answer.headers.get("sb-project-ref")).toBe(ref);
    expect(seen.request).toMatchObject({ method: "POST", url: "/a?b=c" });
    expect(seen.request?.headers.apikey).toBe("k");
    expect(seen.body).toBe('{"x":"é"}');
  });

  it("returns a redirect and does not follow it", async () => {
    let calls = 0;
    const port = await serve((_request, response) => {
      calls += 1;
      response.writeHead(302, { location: `http://127.0.0.1:${port}/inner` }).end();
    });
    const guard = guardFor(`127.0.0.1:${port}`);
    expect((await guard.fetch(`http://127.0.0.1:${port}/`, limits)).status).toBe(302);
    expect((await guard.asFetch()(`http://127.0.0.1:${port}/`)).status).toBe(302);
    expect(calls).toBe(2);
  });

  it("cuts an endless answer, with and without a declared length", async () => {
    const port = await serve((request, response) => {
      if (request.url === "/declared") response.setHeader("content-length", 10 ** 9);
      const pump = () => {
        while (response.write("x".repeat(16_384)));
      };
      response.on("drain", pump);
      pump();
    });
    const guard = guardFor(`127.0.0.1:${port}`);
    for (const path of ["/declared", "/chunked"]) {
      await expect(guard.fetch(`http://127.0.0.1:${port}${path}`, limits)).rejects.toThrow(
        OutboundTooLargeError,
      );
    }
  });

  it("gives up on a silent server, and on one that stops half-way", async () => {
    const silent = await listen(createTcpServer(() => {}));
    const half = await serve((_request, response) => {
      response.writeHead(200).write("half");
    });
    const guard = guardFor(`127.0.0.1:${silent},127.0.0.1:${half}`);
    for (const port of [silent, half]) {
      await expect(
        guard.fetch(`http://127.0.0.1:${port}/`, { ...limits, timeoutMs: 300 }),
      ).rejects.toThrow(OutboundTimeoutError);
    }
  });

  it("says the same of a closed port and a filtered one", async () => {
    const server = createTcpServer();
    const port = await listen(server);
    await new Promise((done) => server.close(done));
    const messages: unknown[] = [];
    // 192.0.2.0/24 is TEST-NET-1 (RFC 5737): nothing answers there, not even a refusal.
    for (const address of ["127.0.0.1", "192.0.2.1"]) {
      const guard = guardFor(`project.test:${port}`, async () => [{ address, family: 4 }]);
      const failure = await guard
        .fetch(`http://project.test:${port}/`, { ...limits, timeoutMs: 400 })
        .catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(OutboundUnreachableError);
      messages.push({ ...(failure as OutboundUnreachableError), cause: undefined });
    }
    expect(messages[0]).toEqual(messages[1]);
  });

  it("sends the name in TLS and refuses a server that speaks none", async () => {
    let name: string | undefined;
    const tls = createTlsServer({
      SNICallback: (asked, done) => {
        name = asked;
        done(null);
      },
    });
    const port = await listen(tls);
    const plain = await serve((_request, response) => response.end());
    const guard = guardFor(`project.test:${port},127.0.0.1:${plain}`, async () => [
      { address: "127.0.0.1", family: 4 },
    ]);
    await expect(guard.fetch(`https://project.test:${port}/`, limits)).rejects.toThrow(
      OutboundTlsError,
    );
    expect(name).toBe("project.test");
    await expect(guard.fetch(`https://127.0.0.1:${plain}/`, limits)).rejects.toThrow(
      OutboundTlsError,
    );
  });

  it("stops when the caller says so", async () => {
    const port = await listen(createTcpServer(() => {}));
    const guard = guardFor(`127.0.0.1:${port}`);
    const stop = new AbortController();
    const answer = guard.fetch(`http://127.0.0.1:${port}/`, { ...limits, signal: stop.signal });
    setTimeout(() => stop.abort(new Error("stopped")), 20);
    await expect(answer).rejects.toThrow("stopped");
  });

  it("has the face of fetch for libraries, with the same rules", async () => {
    const port = await serve((request, response) => {
      request.resume().on("end", () => {
        if (request.method === "DELETE") response.writeHead(204).end();
        else response.setHeader("content-type", "application/json").end('{"ok":true}');
      });
    });
    const fetch = guardFor(`127.0.0.1:${port}`).asFetch();
    const answer = await fetch(new URL(`http://127.0.0.1:${port}/`), {
      method: "POST",
      headers: new Headers({ apikey: "k" }),
      body: "{}",
    });
    expect(await answer.json()).toEqual({ ok: true });
    expect((await fetch(`http://127.0.0.1:${port}/`, { method: "DELETE" })).status).toBe(204);
    await expect(fetch("http://127.1:80/")).rejects.toThrow(OutboundRefusedError);
    await expect(fetch(new Request("https://example.com/"))).rejects.toThrow(OutboundRefusedError);
  });
});
