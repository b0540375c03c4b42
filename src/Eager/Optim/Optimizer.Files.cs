using Fusion.IO;

namespace Fusion.Optim;

public abstract partial class Optimizer
{
    private const string Steps = "steps", Updates = "updates", Rates = "learning rate";

    /// <summary>What the optimizer keeps of each parameter; null: nothing.</summary>
    private protected virtual OptimizerState? State => null;

    /// <summary>
    /// Writes what a run needs to go on to the same bits beside the parameters (which <c>Module.Save</c> writes): momentum or moments, the counts of steps and
    /// updates, and the learning rate. Safetensors, or NumPy's .npz when the path ends so; the names are those of the parameters, or their places in
    /// <see cref="Parameters"/>. What an optimizer of your own keeps is not in the file.
    /// </summary>
    public void Save(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (ExecutionState.Current.Tracer is { } tracer) throw tracer.ValueRead($"{GetType().Name}.Save");
        Dictionary<string, NDArray> file = new()
        {
            [Steps] = Nd.Array([_stepCount]),
            [Updates] = Nd.Array(_updates),
            [Rates] = Nd.Array([Rate]),
        };
        for (int i = 0; i < _parameters.Length; i++)
            foreach ((int k, NDArray array) in (State?.Find(i) ?? []).Index()) file.Add(Key(i, k), array);
        ArrayFile.Save(path, file);
    }

    /// <summary>
    /// Reads, in place, what <see cref="Save"/> wrote: for an optimizer of the same kind and of as many parameters of the same shapes. Compiled steps go on with
    /// it. Nothing is changed when the file does not fit.
    /// </summary>
    /// <exception cref="InvalidDataException">The file is damaged, or is not of such an optimizer.</exception>
    public void Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (ExecutionState.Current.Tracer is { } tracer) throw tracer.SideEffect($"{GetType().Name}.Load");
        Dictionary<string, NDArray> file = ArrayFile.Load(path);
        long[] steps = Numbers<long>(Steps, 1), updates = Numbers<long>(Updates, _parameters.Length);
        double rate = Numbers<double>(Rates, 1)[0];
        int states = State?.Count ?? 0;
        HashSet<string> unknown = [.. file.Keys.Except([Steps, Updates, Rates])];
        for (int i = 0; i < _parameters.Length; i++)
        {
            for (int k = 0; k < states; k++)
            {
                if (!file.TryGetValue(Key(i, k), out NDArray? array))
                {
                    if (updates[i] > 0) throw Unfit($"'{Key(i, k)}' is missing");
                    continue;
                }

                if (array.Shape != _parameters[i].Shape) throw Unfit($"'{Key(i, k)}' is {array.Shape} in the file and {_parameters[i].Shape} here");
                unknown.Remove(Key(i, k));
            }
        }

        if (unknown.Count > 0) throw Unfit($"unknown: {string.Join(", ", unknown)}");
        if (steps[0] < 0 || updates.Any(static u => u < 0) || !(rate >= 0)) throw Unfit("a number is negative");
        using RecordScope scope = Autograd.Pause();
        for (int i = 0; i < _parameters.Length; i++)
        {
            State?.Reset(i);
            for (int k = 0; k < states; k++)
                if (file.TryGetValue(Key(i, k), out NDArray? array)) State!.Of(i, _parameters[i])[k].Assign(array);
        }

        _stepCount = steps[0];
        updates.CopyTo(_updates, 0);
        Rate = rate;

        T[] Numbers<T>(string name, int count)
            where T : unmanaged =>
            file.TryGetValue(name, out NDArray? numbers) && numbers.DType == DTypes.Of<T>() && numbers.Shape == count
                ? numbers.ToArray<T>()
                : throw Unfit($"no '{name}' for {count}");

        InvalidDataException Unfit(string what) => new($"{path} does not fit {GetType().Name}: {what}. Build the optimizer as it was when the file was saved.");
    }

    private string Key(int parameter, int state) => _names is null ? $"{parameter}.{state}" : $"{_names[parameter]}.{state}";
}
