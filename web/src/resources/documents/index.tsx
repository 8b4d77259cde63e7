import { useSearchParams } from "react-router";
import { ResourceList } from "@/kit/ResourceList";
import { documents, hits } from "./columns";

/** One box over names and words; without a question the files that changed last. */
export default function DocumentSearch() {
  const [params] = useSearchParams();
  const asks = (params.get("q") ?? "").trim().length > 2;
  return <ResourceList resource={asks ? hits : documents} />;
}
