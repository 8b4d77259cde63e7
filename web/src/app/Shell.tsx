import { Menu as MenuIcon, Moon, Search, Sun } from "lucide-react";
import { useGetIdentity } from "ra-core";
import { lazy, Suspense, useCallback, useEffect, useRef, useState } from "react";
import { Outlet, useLocation } from "react-router";
import { Avatar, initials } from "@/ui/Avatar";
import { IconButton } from "@/ui/Button";
import { Kbd } from "@/ui/Kbd";
import { PageSkeleton } from "@/kit/PageSkeleton";
import { useCan } from "@/kit/permissions";
import { Bell } from "./Bell";
import { CustomerSwitch } from "./CustomerSwitch";
import { ErrorBoundary } from "./ErrorBoundary";
import { Nav } from "./Nav";
import { SourceLamp } from "./SourceLamp";
import { chooseTheme, useIsDark } from "./theme";
import { startTypeAhead } from "./typeAhead";
import { useShortcuts } from "./useShortcuts";

const FreezeNotice = lazy(() => import("./FreezeNotice"));
const MobileNav = lazy(() => import("./MobileNav"));
const Palette = lazy(() => import("./Palette"));
const UserMenu = lazy(() => import("./UserMenu"));

/** Everything around the page: navigation, customer switch, search, freshness lamp, theme, person. */
export function Shell() {
  const [navOpen, setNavOpen] = useState(false);
  const [paletteOpen, setPaletteOpen] = useState(false);
  const { pathname } = useLocation();
  const { can } = useCan();
  const main = useRef<HTMLElement>(null);
  const lastPath = useRef(pathname);
  const openPalette = useCallback(() => {
    startTypeAhead();
    setPaletteOpen(true);
  }, []);
  useShortcuts(openPalette);

  // Follows the browser's focus and scroll: a new page starts at its top, for eyes and for screen readers.
  useEffect(() => {
    if (lastPath.current === pathname) return;
    lastPath.current = pathname;
    scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [pathname]);

  return (
    <div className="min-h-dvh lg:grid lg:grid-cols-[232px_minmax(0,1fr)]">
      <a href="#main" className="fixed top-2 left-2 z-50 -translate-y-20 rounded-md bg-accent px-3 py-2 font-semibold text-accent-ink focus:translate-y-0">
        Skip to content
      </a>
      <div className="sticky top-0 hidden h-dvh flex-col overflow-y-auto border-r border-line bg-surface lg:flex">
        <Nav />
      </div>
      <div className="min-w-0">
        <header className="no-print sticky top-0 z-30 flex h-13 items-center gap-2.5 border-b border-line bg-surface px-3 md:px-5">
          <IconButton label="Navigation" aria-haspopup="dialog" className="-ml-1 lg:hidden" onClick={() => setNavOpen(true)}>
            <MenuIcon aria-hidden className="size-4.5" />
          </IconButton>
          <CustomerSwitch />
          <button
            type="button"
            onClick={openPalette}
            aria-haspopup="dialog"
            aria-keyshortcuts="Control+K"
            className="inline-flex h-8 w-80 min-w-0 items-center gap-2 rounded-md border border-line-strong bg-raised px-2.5 text-ink-3 shadow-1 hover:bg-hover max-lg:w-56 max-md:hidden"
          >
            <Search aria-hidden className="size-3.5 shrink-0" />
            <span className="truncate">Search or run a command</span>
            <span className="ml-auto max-lg:hidden">
              <Kbd>Ctrl K</Kbd>
            </span>
          </button>
          <div className="ml-auto flex items-center gap-1">
            <SourceLamp />
            <IconButton label="Search" aria-haspopup="dialog" className="md:hidden" onClick={openPalette}>
              <Search aria-hidden className="size-4" />
            </IconButton>
            <ThemeToggle />
            <Bell />
            <span className="ml-1.5 grid">
              <Account />
            </span>
          </div>
        </header>
        <main ref={main} id="main" tabIndex={-1} className="mx-auto grid max-w-[1760px] grid-cols-[minmax(0,1fr)] content-start gap-4 px-3.5 pt-4 pb-12 md:px-6 md:pt-5">
          <Suspense>{can("security:read") ? <FreezeNotice /> : null}</Suspense>
          <ErrorBoundary key={pathname}>
            <Suspense fallback={<PageSkeleton />}>
              <Outlet />
            </Suspense>
          </ErrorBoundary>
        </main>
      </div>
      <Suspense>{navOpen ? <MobileNav onClose={() => setNavOpen(false)} /> : null}</Suspense>
      <Suspense>{paletteOpen ? <Palette onClose={() => setPaletteOpen(false)} /> : null}</Suspense>
    </div>
  );
}

function ThemeToggle() {
  const dark = useIsDark();
  return (
    <IconButton label={dark ? "Use the light theme" : "Use the dark theme"} className="max-sm:hidden" onClick={() => chooseTheme(dark ? "light" : "dark")}>
      {dark ? <Sun aria-hidden className="size-4" /> : <Moon aria-hidden className="size-4" />}
    </IconButton>
  );
}

function Account() {
  const { data: identity } = useGetIdentity();
  const [armed, setArmed] = useState(false);
  const name = identity?.fullName ?? "";
  const button = (
    <button type="button" aria-label={`${initials(name)}, account of ${name}`} aria-haspopup="menu" aria-expanded={false} className="rounded-full" onClick={() => setArmed(true)}>
      <Avatar name={name} />
    </button>
  );
  if (!armed) return button;
  return (
    <Suspense fallback={button}>
      <UserMenu defaultOpen />
    </Suspense>
  );
}
