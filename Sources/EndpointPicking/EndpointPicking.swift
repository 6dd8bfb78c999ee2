// EndpointPicking
