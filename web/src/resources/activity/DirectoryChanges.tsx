import { ResourceList } from "@/kit/ResourceList";
import { directoryChanges } from "./columns";
import { CoverageStrip } from "./CoverageNotes";

export default function DirectoryChangeList() {
  return <ResourceList resource={directoryChanges} banner={<CoverageStrip stream="directory_changes" />} />;
}
