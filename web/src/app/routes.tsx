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
const SignedIn = lazy(() => import("@/resources/integrations/SignedIn"));
const DifferenceList = lazy(() => import("@/resources/differences"));
const ClosedDifferences = lazy(() => import("@/resources/differences/Closed"));
const DifferenceRecord = lazy(() => import("@/resources/differences/DifferenceRecord"));
const DifferencesByCustomer = lazy(() => import("@/resources/differences/ByCustomer"));
const DifferencesByProduct = lazy(() => import("@/resources/differences/ByProduct"));
const MarginList = lazy(() => import("@/resources/margins"));
const MonthCloseList = lazy(() => import("@/resources/month-closes"));
const MonthCloseRecord = lazy(() => import("@/resources/month-closes/MonthCloseRecord"));
const EndpointList = lazy(() => import("@/resources/endpoints"));
const EndpointConflicts = lazy(() => import("@/resources/endpoints/Conflicts"));
const EndpointRecord = lazy(() => import("@/resources/endpoints/EndpointRecord"));
const ConfigurationList = lazy(() => import("@/resources/configuration"));
const ItemRecord = lazy(() => import("@/resources/configuration/ItemRecord"));
const PersonList = lazy(() => import("@/resources/people"));
const LeaverList = lazy(() => import("@/resources/people/Leavers"));
const PersonRecord = lazy(() => import("@/resources/people/PersonRecord"));
const LicenseList = lazy(() => import("@/resources/licenses"));
const TenantList = lazy(() => import("@/resources/tenants"));
const TenantRecord = lazy(() => import("@/resources/tenants/TenantRecord"));
const CippTenantList = lazy(() => import("@/resources/cipp-tenants"));
const CippTenantRecord = lazy(() => import("@/resources/cipp-tenants/CippTenantRecord"));
const ExpiryCalendar = lazy(() => import("@/resources/expiries"));
const MfaGaps = lazy(() => import("@/resources/mfa"));
const SignIns = lazy(() => import("@/resources/activity/SignIns"));
const DirectoryChanges = lazy(() => import("@/resources/activity/DirectoryChanges"));
const DirectoryChangeRecord = lazy(() => import("@/resources/activity/DirectoryChangeRecord"));
const Coverage = lazy(() => import("@/resources/activity/Coverage"));
const PostureTenants = lazy(() => import("@/resources/posture"));
const PostureChecks = lazy(() => import("@/resources/posture/Checks"));
const PostureFindings = lazy(() => import("@/resources/posture/Findings"));
const PostureTenantRecord = lazy(() => import("@/resources/posture/TenantRecord"));
const PostureCheckRecord = lazy(() => import("@/resources/posture/CheckRecord"));
const DriftList = lazy(() => import("@/resources/drift"));
const ClosedDrifts = lazy(() => import("@/resources/drift/Closed"));
const DriftTenants = lazy(() => import("@/resources/drift/Tenants"));
const DriftTenantRecord = lazy(() => import("@/resources/drift/TenantRecord"));
const DriftRecord = lazy(() => import("@/resources/drift/DriftRecord"));
const CompareTenants = lazy(() => import("@/resources/drift/CompareTenants"));
const BaselineList = lazy(() => import("@/resources/baselines"));
const BaselineRecord = lazy(() => import("@/resources/baselines/BaselineRecord"));
const CustomerBaseline = lazy(() => import("@/resources/baselines/CustomerBaseline"));
const SoftwareList = lazy(() => import("@/resources/software"));
const SoftwareWhere = lazy(() => import("@/resources/software/Where"));
const DocumentSearch = lazy(() => import("@/resources/documents"));
const DocumentRecord = lazy(() => import("@/resources/documents/DocumentRecord"));
const DocumentSites = lazy(() => import("@/resources/documents/Sites"));
const SharingLinks = lazy(() => import("@/resources/documents/Sharing"));
const BillList = lazy(() => import("@/resources/bills"));
const PaymentList = lazy(() => import("@/resources/bills/Payments"));
const BillingTicketList = lazy(() => import("@/resources/bills/Tickets"));
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
        <Route path="software" element={<SoftwareList />} />
        <Route path="software/:program" element={<SoftwareWhere />} />
        <Route path="endpoints" element={<EndpointList />} />
        <Route path="endpoints/to-decide" element={<EndpointConflicts />} />
        <Route path="endpoints/:customerId/:id" element={<EndpointRecord />} />
        <Route path="configuration" element={<ConfigurationList />} />
        <Route path="configuration/:customerId/:id" element={<ItemRecord />} />
        <Route path="people" element={<PersonList />} />
        <Route path="people/leavers" element={<LeaverList />} />
        <Route path="people/:customerId/:id" element={<PersonRecord />} />
        <Route path="licenses" element={<LicenseList />} />
        <Route path="tenants" element={<TenantList />} />
        <Route path="tenants/:customerId/:id" element={<TenantRecord />} />
        <Route path="cipp-tenants" element={<CippTenantList />} />
        <Route path="cipp-tenants/:customerId/:id" element={<CippTenantRecord />} />
        <Route path="expiries" element={<ExpiryCalendar />} />
        <Route path="mfa" element={<MfaGaps />} />
        <Route path="sign-ins" element={<SignIns />} />
        <Route path="directory-changes" element={<DirectoryChanges />} />
        <Route path="directory-changes/:customerId/:id" element={<DirectoryChangeRecord />} />
        <Route path="log-coverage" element={<Coverage />} />
        <Route path="posture" element={<PostureTenants />} />
        <Route path="posture/checks" element={<PostureChecks />} />
        <Route path="posture/findings" element={<PostureFindings />} />
        <Route path="posture/checks/:customerId/:id" element={<PostureCheckRecord />} />
        <Route path="posture/:customerId/:id" element={<PostureTenantRecord />} />
        <Route path="drift" element={<DriftList />} />
        <Route path="drift/closed" element={<ClosedDrifts />} />
        <Route path="drift/tenants" element={<DriftTenants />} />
        <Route path="drift/tenants/:customerId/:id" element={<DriftTenantRecord />} />
        <Route path="drift/compare" element={<CompareTenants />} />
        <Route path="drift/:customerId/:id" element={<DriftRecord />} />
        <Route path="baselines" element={<BaselineList />} />
        <Route path="baselines/customers/:id" element={<CustomerBaseline />} />
        <Route path="baselines/:id" element={<BaselineRecord />} />
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
        <Route path="integrations/signed-in" element={<SignedIn />} />
        <Route path="integrations/:id" element={<IntegrationRecord />} />
        <Route path="differences" element={<DifferenceList />} />
        <Route path="differences/closed" element={<ClosedDifferences />} />
        <Route path="differences/:customerId/:id" element={<DifferenceRecord />} />
        <Route path="differences/customers" element={<DifferencesByCustomer />} />
        <Route path="differences/products" element={<DifferencesByProduct />} />
        <Route path="margins" element={<MarginList />} />
        <Route path="month-closes" element={<MonthCloseList />} />
        <Route path="month-closes/:id" element={<MonthCloseRecord />} />
        <Route path="documents" element={<DocumentSearch />} />
        <Route path="documents/:customerId/:id" element={<DocumentRecord />} />
        <Route path="document-sites" element={<DocumentSites />} />
        <Route path="sharing-links" element={<SharingLinks />} />
        <Route path="bills" element={<BillList />} />
        <Route path="bills/payments" element={<PaymentList />} />
        <Route path="bills/tickets" element={<BillingTicketList />} />
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
