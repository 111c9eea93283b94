// A browser that runs module scripts is one that the components support: no inline test is needed.
import {
  createAll, Button, Checkboxes, ErrorSummary, NotificationBanner, Radios, ServiceNavigation, SkipLink,
} from "govuk-frontend";

document.body.classList.add("js-enabled", "govuk-frontend-supported");
createAll(Button, { preventDoubleClick: true });
for (const component of [Checkboxes, ErrorSummary, NotificationBanner, Radios, ServiceNavigation, SkipLink])
  createAll(component);
for (const button of document.querySelectorAll("[data-print]"))
  button.addEventListener("click", () => window.print());
