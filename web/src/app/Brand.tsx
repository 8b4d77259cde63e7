export function Brand({ large = false }: { large?: boolean }) {
  return (
    <span className={large ? "flex items-center gap-2.5 text-lg font-bold" : "flex items-center gap-2 text-[14px] font-bold"}>
      <img src="/icon.svg" alt="" width={large ? 28 : 20} height={large ? 28 : 20} />
      OberaConnect
    </span>
  );
}
