import { Plus } from "lucide-react";
import { useState } from "react";
import { useNavigate } from "react-router";
import { paths } from "@/kit/paths";
import { useCan } from "@/kit/permissions";
import { ResourceList } from "@/kit/ResourceList";
import { useScope } from "@/kit/scope";
import { Button } from "@/ui/Button";
import { items } from "./columns";
import { ItemEditor } from "./ItemEditor";

export default function ConfigurationList() {
  const scope = useScope();
  const navigate = useNavigate();
  const { reason } = useCan();
  const [entering, setEntering] = useState(false);
  return (
    <>
      <ResourceList
        resource={items}
        actions={
          <Button variant="primary" icon={<Plus aria-hidden className="size-3.5" />} reason={reason("configuration:write")} onClick={() => setEntering(true)}>
            Enter an item
          </Button>
        }
      />
      {entering ? (
        <ItemEditor
          item={null}
          customerId={scope.customerId}
          onClose={() => setEntering(false)}
          onEntered={(customerId, id) => void navigate(scope.to(paths.configurationItem(customerId, id)))}
        />
      ) : null}
    </>
  );
}
