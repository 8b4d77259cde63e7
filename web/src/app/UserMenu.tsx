import { LogOut, Monitor, Moon, Sun } from "lucide-react";
import { useGetIdentity, useLogout } from "ra-core";
import { Avatar, initials } from "@/ui/Avatar";
import { Menu, MenuItem, MenuLabel, MenuSeparator } from "@/ui/Menu";
import { chooseTheme, useThemeChoice, type ThemeChoice } from "./theme";

const themes: { choice: ThemeChoice; label: string; icon: typeof Sun }[] = [
  { choice: "light", label: "Light", icon: Sun },
  { choice: "dark", label: "Dark", icon: Moon },
  { choice: "system", label: "As the system", icon: Monitor },
];

export default function UserMenu({ defaultOpen }: { defaultOpen: boolean }) {
  const { data: identity } = useGetIdentity();
  const logout = useLogout();
  const choice = useThemeChoice();
  const name = identity?.fullName ?? "";
  const email: unknown = identity?.email;
  return (
    <Menu
      defaultOpen={defaultOpen}
      trigger={
        <button type="button" aria-label={`${initials(name)}, account of ${name}`} className="rounded-full">
          <Avatar name={name} />
        </button>
      }
    >
      <div className="px-2 pt-1.5 pb-2">
        <p className="font-semibold">{name}</p>
        {typeof email === "string" && email !== name ? <p className="text-sm text-ink-2">{email}</p> : null}
      </div>
      <MenuSeparator />
      <MenuLabel>Theme</MenuLabel>
      {themes.map((theme) => (
        <MenuItem key={theme.choice} icon={theme.icon} checked={choice === theme.choice} onSelect={() => chooseTheme(theme.choice)}>
          {theme.label}
        </MenuItem>
      ))}
      <MenuSeparator />
      <MenuItem icon={LogOut} onSelect={() => void logout({}, "/sign-in")}>
        Sign out
      </MenuItem>
    </Menu>
  );
}
