import { Sheet } from "@/ui/Dialog";
import { Nav } from "./Nav";

export default function MobileNav({ onClose }: { onClose: () => void }) {
  return (
    <Sheet open onOpenChange={(next) => !next && onClose()} side="left" title="Navigation">
      <Nav touch onNavigate={onClose} />
    </Sheet>
  );
}
