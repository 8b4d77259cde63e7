import { QueryClient } from "@tanstack/react-query";
import { CoreAdminContext, localStorageStore } from "ra-core";
import { lazy, Suspense } from "react";
import { BrowserRouter } from "react-router";
import { ApiError } from "@/api/errors";
import { authProvider } from "@/api/authProvider";
import { dataProvider } from "@/api/dataProvider";
import { AppRoutes } from "./routes";

const Notifications = lazy(() => import("./Notifications").then((module) => ({ default: module.Notifications })));

const RETRIES_MAX = 2;
const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      refetchOnWindowFocus: true,
      retry: (failures, error) => failures < RETRIES_MAX && error instanceof ApiError && error.isTransient,
    },
  },
});
const store = localStorageStore("1", "obera");

export function App() {
  return (
    <BrowserRouter>
      <CoreAdminContext authProvider={authProvider} dataProvider={dataProvider} queryClient={queryClient} store={store}>
        <AppRoutes />
        <Suspense>
          <Notifications />
        </Suspense>
      </CoreAdminContext>
    </BrowserRouter>
  );
}
