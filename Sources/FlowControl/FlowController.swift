// FlowController lives here.
