import { Plus } from "lucide-react";
import { useSearchParams } from "react-router";
import { useCan } from "@/kit/permissions";
import { ResourceList } from "@/kit/ResourceList";
import { useScope } from "@/kit/scope";
import { Button } from "@/ui/Button";
import { tickets } from "./columns";
import { NewTicket } from "./NewTicket";

export default function TicketList() {
  const [params, setParams] = useSearchParams();
  const { customerId } = useScope();
  const { reason } = useCan();
  const close = () =>
    setParams(
      (current) => {
        const next = new URLSearchParams(current);
        for (const name of ["new", "device", "for"]) next.delete(name);
        return next;
      },
      { replace: true },
    );
  return (
    <>
      <ResourceList
        resource={tickets}
        actions={
          <Button
            variant="primary"
            icon={<Plus aria-hidden className="size-3.5" />}
            reason={reason("tickets:write", customerId)}
            onClick={() =>
              setParams((current) => {
                const next = new URLSearchParams(current);
                next.set("new", "1");
                return next;
              })
            }
          >
            New ticket
          </Button>
        }
      />
      {params.get("new") === "1" ? <NewTicket customerId={params.get("for") ?? customerId} deviceId={params.get("device")} onClose={close} /> : null}
    </>
  );
}
