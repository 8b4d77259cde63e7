import { ResourceList } from "@/kit/ResourceList";
import { signIns } from "./columns";
import { CoverageStrip } from "./CoverageNotes";

export default function SignInList() {
  return <ResourceList resource={signIns} banner={<CoverageStrip stream="sign_in_log" />} />;
}
