import { CopyValue, Facts } from "../ui.tsx";
import { OutsideLink } from "./outside-link.tsx";
import { projectNameOf } from "./project-name.ts";

/** What to enter at Supabase for a customer's new project, each value ready to be copied. */
export function CreateProject(props: {
  requestId: string;
  company: string;
  region: string;
  regionName: string;
  newProjectUrl: string;
}) {
  const { requestId, company, region, regionName, newProjectUrl } = props;
  return (
    <>
      <p className="mb-3">
        Open <OutsideLink to={newProjectUrl}>Supabase: new project</OutsideLink> and enter these
        values. It takes Supabase about two minutes to set the project up.
      </p>
      <Facts
        items={[
          [
            "Organisation",
            "The one that holds our customers’ projects. Supabase asks for it first.",
          ],
          [
            "Project name",
            <CopyValue key="name" label="project name" value={projectNameOf(company, requestId)} />,
          ],
          [
            "Region",
            <span key="region" className="flex flex-wrap items-center gap-x-2">
              {regionName} <CopyValue label="region code" value={region} />
            </span>,
          ],
          [
            "Password",
            "Press “Generate a password” there and keep it for the next step: Supabase shows it once.",
          ],
        ]}
      />
    </>
  );
}
