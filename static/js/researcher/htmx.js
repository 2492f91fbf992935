// The admin's frame brings htmx, which would write a style into the page; ours has one, and the page's policy refuses others.
htmx.config.includeIndicatorStyles = false;
