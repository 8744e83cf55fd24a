/* The namespaces of the protocols, once. */
#ifndef SP_CORE_WSUS_NAMES_H
#define SP_CORE_WSUS_NAMES_H

#define NS_SOAP "http://schemas.xmlsoap.org/soap/envelope/"
#define NS_XSI  "http://www.w3.org/2001/XMLSchema-instance"
#define NS_XSD  "http://www.w3.org/2001/XMLSchema"

#define NS_WSUS        "http://www.microsoft.com/SoftwareDistribution"
#define NS_DSS_AUTH    NS_WSUS "/Server/DssAuthWebService"
#define NS_CLIENT      NS_WSUS "/Server/ClientWebService"
#define NS_SIMPLE_AUTH NS_WSUS "/Server/SimpleAuthWebService"

#define NS_MSUS     "http://schemas.microsoft.com/msus/2002/12/"
#define NS_UPDATE   NS_MSUS "Update"
#define NS_RULES    NS_MSUS "LogicalApplicabilityRules"
#define NS_COMMAND  NS_MSUS "UpdateHandlers/CommandLineInstallation"
#define NS_CATEGORY NS_MSUS "UpdateHandlers/Category"

#endif
