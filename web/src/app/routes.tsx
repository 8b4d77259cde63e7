import { lazy, Suspense } from "react";
import { Route, Routes } from "react-router";
import { NotFound } from "@/pages/not-found/NotFound";
import { RequireSession } from "./RequireSession";
import { Shell } from "./Shell";

const SignIn = lazy(() => import("@/pages/sign-in/SignIn"));
const Overview = lazy(() => import("@/pages/overview/Overview"));
const CustomerList = lazy(() => import("@/resources/customers"));
const CustomerRecord = lazy(() => import("@/resources/customers/CustomerRecord"));
const DeviceList = lazy(() => import("@/resources/devices"));
const DeviceRecord = lazy(() => import("@/resources/devices/DeviceRecord"));
const AlertList = lazy(() => import("@/resources/alerts"));
const IncidentList = lazy(() => import("@/resources/incidents"));
const IncidentRecord = lazy(() => import("@/resources/incidents/IncidentRecord"));
const ApprovalList = lazy(() => import("@/resources/approvals"));
const RunList = lazy(() => import("@/resources/runs"));
const RunView = lazy(() => import("@/pages/run/RunView"));
const TicketList = lazy(() => import("@/resources/tickets"));
const TicketRecord = lazy(() => import("@/resources/tickets/TicketRecord"));
const IntegrationList = lazy(() => import("@/resources/integrations"));
const IntegrationRecord = lazy(() => import("@/resources/integrations/IntegrationRecord"));
const SecurityAlertList = lazy(() => import("@/resources/security"));
const AccessList = lazy(() => import("@/resources/access"));
const ApiExplorer = lazy(() => import("@/pages/api/ApiExplorer"));

export function AppRoutes() {
  return (
    <Routes>
      <Route
        path="/sign-in"
        element={
          <Suspense>
            <SignIn />
          </Suspense>
        }
      />
      <Route
        element={
          <RequireSession>
            <Shell />
          </RequireSession>
        }
      >
        <Route index element={<Overview />} />
        <Route path="customers" element={<CustomerList />} />
        <Route path="customers/:id" element={<CustomerRecord />} />
        <Route path="devices" element={<DeviceList />} />
        <Route path="devices/:customerId/:id" element={<DeviceRecord />} />
        <Route path="devices/:id" element={<DeviceRecord />} />
        <Route path="alerts" element={<AlertList />} />
        <Route path="incidents" element={<IncidentList />} />
        <Route path="incidents/:customerId/:id" element={<IncidentRecord />} />
        <Route path="incidents/:id" element={<IncidentRecord />} />
        <Route path="approvals" element={<ApprovalList />} />
        <Route path="runs" element={<RunList />} />
        <Route path="runs/:customerId/:id" element={<RunView />} />
        <Route path="runs/:id" element={<RunView />} />
        <Route path="tickets" element={<TicketList />} />
        <Route path="tickets/:customerId/:id" element={<TicketRecord />} />
        <Route path="tickets/:id" element={<TicketRecord />} />
        <Route path="integrations" element={<IntegrationList />} />
        <Route path="integrations/:id" element={<IntegrationRecord />} />
        <Route path="security" element={<SecurityAlertList />} />
        <Route path="access" element={<AccessList />} />
        <Route path="api" element={<ApiExplorer />} />
        <Route path="*" element={<NotFound />} />
      </Route>
    </Routes>
  );
}
