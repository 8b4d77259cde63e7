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
const DifferenceList = lazy(() => import("@/resources/differences"));
const ClosedDifferences = lazy(() => import("@/resources/differences/Closed"));
const DifferenceRecord = lazy(() => import("@/resources/differences/DifferenceRecord"));
const DifferencesByCustomer = lazy(() => import("@/resources/differences/ByCustomer"));
const DifferencesByProduct = lazy(() => import("@/resources/differences/ByProduct"));
const MarginList = lazy(() => import("@/resources/margins"));
const MonthCloseList = lazy(() => import("@/resources/month-closes"));
const MonthCloseRecord = lazy(() => import("@/resources/month-closes/MonthCloseRecord"));
const PersonList = lazy(() => import("@/resources/people"));
const LeaverList = lazy(() => import("@/resources/people/Leavers"));
const PersonRecord = lazy(() => import("@/resources/people/PersonRecord"));
const LicenseList = lazy(() => import("@/resources/licenses"));
const TenantList = lazy(() => import("@/resources/tenants"));
const TenantRecord = lazy(() => import("@/resources/tenants/TenantRecord"));
const MfaGaps = lazy(() => import("@/resources/mfa"));
const BillingLineList = lazy(() => import("@/resources/billing-lines"));
const CountRuleList = lazy(() => import("@/resources/count-rules"));
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
        <Route path="people" element={<PersonList />} />
        <Route path="people/leavers" element={<LeaverList />} />
        <Route path="people/:customerId/:id" element={<PersonRecord />} />
        <Route path="licenses" element={<LicenseList />} />
        <Route path="tenants" element={<TenantList />} />
        <Route path="tenants/:customerId/:id" element={<TenantRecord />} />
        <Route path="mfa" element={<MfaGaps />} />
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
        <Route path="differences" element={<DifferenceList />} />
        <Route path="differences/closed" element={<ClosedDifferences />} />
        <Route path="differences/:customerId/:id" element={<DifferenceRecord />} />
        <Route path="differences/customers" element={<DifferencesByCustomer />} />
        <Route path="differences/products" element={<DifferencesByProduct />} />
        <Route path="margins" element={<MarginList />} />
        <Route path="month-closes" element={<MonthCloseList />} />
        <Route path="month-closes/:id" element={<MonthCloseRecord />} />
        <Route path="billing-lines" element={<BillingLineList />} />
        <Route path="count-rules" element={<CountRuleList />} />
        <Route path="security" element={<SecurityAlertList />} />
        <Route path="access" element={<AccessList />} />
        <Route path="api" element={<ApiExplorer />} />
        <Route path="*" element={<NotFound />} />
      </Route>
    </Routes>
  );
}
