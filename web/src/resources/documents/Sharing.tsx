import { ResourceList } from "@/kit/ResourceList";
import { shares } from "./shares";

export default function SharingLinks() {
  return <ResourceList resource={shares} />;
}
