using System.Reflection;
using System.Xml.Linq;

namespace Fusion.Tests;

/// <summary>The first sentences of the documentation comments of an assembly, from the file that the compiler writes beside it.</summary>
internal sealed class DocumentationComments
{
    private readonly Dictionary<string, string> _sentences = [];

    private DocumentationComments(XDocument document)
    {
        foreach (XElement member in document.Descendants("member"))
        {
            // Of overloads the first speaks for all.
            string name = member.Attribute("name")!.Value.Split('(', '`')[0];
            if (member.Element("summary") is { } summary) _sentences.TryAdd(name, Sentence(summary));
        }
    }

    public static DocumentationComments Of(Assembly assembly) => new(XDocument.Load(Path.ChangeExtension(assembly.Location, ".xml")));

    /// <summary>Of a function of <see cref="Nd"/>.</summary>
    public string? Function(string name) => _sentences.GetValueOrDefault($"M:Fusion.Nd.{name}");

    /// <summary>Of a row of the operator table.</summary>
    public string? Row(string name) => _sentences.GetValueOrDefault($"F:Fusion.OpTable.{name}");

    private static string Sentence(XElement summary)
    {
        string text = string.Concat(summary.Nodes().Select(Text));
        text = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        int end = text.IndexOf(". ", StringComparison.Ordinal);
        return end < 0 ? text : text[..(end + 1)];
    }

    private static string Text(XNode node) => node switch
    {
        XText text => text.Value,
        XElement { Name.LocalName: "see" or "paramref" } reference => $"`{Last(reference.FirstAttribute!.Value)}`",
        XElement element => $"`{element.Value}`",
        _ => string.Empty,
    };

    private static string Last(string reference) => reference.Split('(', '`')[0].Split('.', ':')[^1];
}
