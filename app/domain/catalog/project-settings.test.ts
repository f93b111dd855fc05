/** What several templates ask of one project. */
import { afterEach, expect, it } from "vitest";
import { authSettingsOf, bucketsOf } from "./index.server.ts";
import { base, beside, failure, load, manifest, removeFolders } from "./template-folders.ts";

afterEach(removeFolders);

const asking = (name: string, changes: Record<string, string>) =>
  beside(name, { "template.yaml": manifest(name, changes) });
const FILES = "[{ bucket: images }, { bucket: files, allowed_mime_types: [image/png, image/gif] }]";

it.each([
  [
    "a bucket that another template has otherwise",
    {
      ...asking("atelier", { storage: FILES }),
      ...asking("shop", { storage: FILES.replace("bucket: files", "bucket: files, public: true") }),
    },
    /shop has the bucket files too, with other settings/,
  ],
  [
    "a bucket that is named twice",
    asking("shop", { storage: "[{ bucket: files }, { bucket: files }]" }),
    /the bucket files is named twice/,
  ],
  [
    "a setting of Auth that another template needs otherwise",
    {
      ...asking("atelier", { auth: "{ disable_signup: false }" }),
      ...asking("shop", { auth: "{ external_email_enabled: true, disable_signup: true }" }),
    },
    /shop needs disable_signup to be true/,
  ],
])("refuses %s, and says where it stands", async (_, files, sentence) => {
  const error = await failure({ ...base, ...files });
  expect(error).toMatchObject({ code: "template_dependency", line: 8 });
  expect(error.message).toMatch(sentence);
  expect(error.fix).toMatch(/\w/);
});

it("takes what several templates ask for alike, each once", async () => {
  const { templates } = await load({
    ...base,
    ...asking("atelier", { storage: FILES, auth: "{ disable_signup: true }" }),
    ...asking("shop", {
      storage: FILES.replace("image/png, image/gif", "image/gif, image/png"),
      auth: "{ disable_signup: true, external_phone_enabled: false }",
    }),
  });
  expect(bucketsOf(templates)).toEqual(
    ["images", "files"].map((bucket) => ({
      template: "atelier",
      bucket: expect.objectContaining({ bucket, public: false }),
    })),
  );
  const settings = { disable_signup: true, external_phone_enabled: false };
  expect(authSettingsOf(templates)).toEqual(settings);
});
