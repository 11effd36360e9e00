// validatorUrl null: the badge would send the document's address to swagger.io
SwaggerUIBundle({ url: "/openapi.json", dom_id: "#api", deepLinking: true, validatorUrl: null });
