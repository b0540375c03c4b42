using Fusion.IO;

namespace Fusion.NN;

public abstract partial class Module
{
    /// <summary>Writes parameters and buffers to a file by their dotted names: safetensors, or NumPy's .npz when the path ends so.</summary>
    public void Save(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArrayFile.Save(path, State());
    }

    /// <summary>Reads parameters and buffers, in place, from a file that <see cref="Save"/> wrote. Nothing is changed when the file does not fit.</summary>
    /// <exception cref="InvalidDataException">The file is damaged, or its names or shapes are not those of this module.</exception>
    public void Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        Dictionary<string, NDArray> state = State();
        Dictionary<string, NDArray> file = ArrayFile.Load(path);
        string[] missing = [.. state.Keys.Except(file.Keys)], unknown = [.. file.Keys.Except(state.Keys)];
        if (missing.Length + unknown.Length > 0)
            throw new InvalidDataException(
                $"{path} does not fit {GetType().Name}: missing: {List(missing)}; unknown: {List(unknown)}. Build the module as it was when it was saved.");
        foreach ((string name, NDArray array) in state)
            if (file[name].Shape != array.Shape)
                throw new InvalidDataException(
                    $"{path} does not fit {GetType().Name}: '{name}' is {file[name].Shape} in the file and {array.Shape} in the module.");
        using RecordScope scope = Autograd.Pause();
        foreach ((string name, NDArray array) in state) array.Assign(file[name]);
    }

    /// <summary>A table of the modules, their output shapes and numbers of parameters, for an input of this shape; runs the module once on zeros.</summary>
    public string Summary(Shape inputShape, DType dtype = DType.Float32) => new ModuleSummary(this).Run(inputShape, dtype);

    private static string List(string[] names) => names.Length == 0 ? "nothing" : string.Join(", ", names);

    private Dictionary<string, NDArray> State()
    {
        Dictionary<string, NDArray> state = new(Parameters);
        foreach ((string name, NDArray buffer) in Buffers) state.Add(name, buffer);
        return state;
    }
}
